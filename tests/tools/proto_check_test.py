"""The proto check sees a missing comment, a zero that means something and a package without a version."""

import pathlib
import tempfile
import unittest

import proto_check

CLEAN = """syntax = "proto3";
package a.v1;
// A thing.
message Thing {
  // How much and of what.
  int32 amount = 1;
  string kind = 2;
}
// A choice.
enum MyChoice { MY_CHOICE_UNSPECIFIED = 0; MY_CHOICE_ONE = 1; }
// Does it.
service Doer {
  // Once.
  rpc Do(Thing) returns (Thing);
}
"""


class ProtoCheck(unittest.TestCase):
    def faults(self, text):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "a.proto").write_text(text)
            return proto_check.check(folder, ["a.proto"])

    def faults_without(self, line):
        self.assertIn(line, CLEAN)
        return self.faults(CLEAN.replace(line, ""))

    def test_clean_file_passes(self):
        self.assertEqual(self.faults(CLEAN), [])

    def test_missing_comments_are_named(self):
        self.assertEqual(self.faults_without("// A thing.\n"), ["a.proto:3: message Thing has no comment"])
        self.assertEqual(len(self.faults_without("  // How much and of what.\n")), 2)
        self.assertEqual(len(self.faults_without("// A choice.\n")), 1)
        self.assertEqual(len(self.faults_without("// Does it.\n")), 1)
        self.assertEqual(len(self.faults_without("  // Once.\n")), 1)

    def test_a_comment_covers_adjacent_fields_only(self):
        self.assertEqual(self.faults(CLEAN.replace("  string kind", "\n  string kind")),
                         ["a.proto:8: field Thing.kind has no comment"])

    def test_enum_zero_must_be_unspecified(self):
        self.assertIn("MY_CHOICE_UNSPECIFIED = 0", self.faults(CLEAN.replace("MY_CHOICE_UNSPECIFIED", "MY_CHOICE_ZERO"))[0])

    def test_package_must_have_a_version(self):
        self.assertIn("version", self.faults(CLEAN.replace("package a.v1", "package a"))[0])


if __name__ == "__main__":
    unittest.main()
