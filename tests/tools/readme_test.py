"""What README.md and its neighbours point at is there, and the Python it quotes is the example's own."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Readme(unittest.TestCase):
    def test_quotes_the_python_example(self):
        example = (ROOT / "examples/python/segment.py").read_text(encoding="utf-8")
        body = example[example.index("def requests"):example.index('\n\nif __name__')].rstrip()
        self.assertIn(f"```python\n{body}\n```", (ROOT / "README.md").read_text(encoding="utf-8"))

    def test_links_lead_somewhere(self):
        for page in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/configuration.md", "docs/performance.md"):
            links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
            for link in links:
                self.assertTrue((ROOT / page).parent.joinpath(link).exists(), f"{page} links to {link}")

    def test_names_only_targets_that_make_knows(self):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for page in ("README.md", "CONTRIBUTING.md"):
            for target in re.findall(r"(?:^(?:    )?(?:sudo )?|`(?:sudo |TIDY=all )?)make ([a-z]+)",
                                     (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE):
                self.assertRegex(makefile, rf"(?m)^{target}:", f"{page} names make {target}")


if __name__ == "__main__":
    unittest.main()
