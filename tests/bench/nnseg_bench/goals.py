"""What the figures are held against. All are ratios of two measurements of the same run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`must` and `stretch` bound a ratio: from above, or from below where `higher` is better."""

    text: str
    must: float
    stretch: float | None = None
    higher: bool = False
    headline: bool = False  # stands in the README

    def verdict(self, ratio: float) -> str:
        if self.stretch is not None and self._reaches(ratio, self.stretch):
            return "stretch"
        return "pass" if self._reaches(ratio, self.must) else "MISS"

    def limit(self, bound: float | None) -> str:
        if bound is None:
            return ""
        return f"{'≥' if self.higher else '≤'} {bound:g}"

    def _reaches(self, ratio: float, bound: float) -> bool:
        return ratio >= bound if self.higher else ratio <= bound


def goals(has_avx512: bool) -> dict[str, Goal]:
    """By key, in the order of the table."""
    sgemm = "multiple of the sgemm rate, PlainConvUNet 64³, "
    eager = "network PlainConvUNet 128³ / nnU-Net's eager torch, "
    warm = " / warm nnU-Net in Python"
    return {
        "sgemm-fp32": Goal(sgemm + "fp32", 1.1 if has_avx512 else 0.9, 1.3, higher=True),
        "sgemm-int8": Goal(sgemm + "the faster of int8 and int8_bf16 (VNNI)", 4.0, 4.8, higher=True),
        "eager-fp32": Goal(eager + "fp32", 0.5, 0.42),
        "eager-bf16": Goal(eager + "the faster bf16", 0.25, 0.2),
        "eager-int8": Goal(eager + "the faster of int8 and int8_bf16", 0.15, 0.11),
        "s1-fp32": Goal("S1 end to end, openvino fp32" + warm, 0.33, 0.26, headline=True),
        "s1-bf16": Goal("S1 end to end, bf16" + warm, 0.2, 0.15, headline=True),
        "s1-int8": Goal("S1 end to end, the faster of int8 and int8_bf16" + warm, 0.17, 0.12, headline=True),
        "s1-exact": Goal("S1 end to end, exact mode" + warm, 0.55, 0.47, headline=True),
        "s1-differing": Goal("S1, exact mode: voxels that differ from nnU-Net's", 0),
        "s2-fp32": Goal("S2 end to end (117 labels), openvino fp32" + warm, 0.13, 0.08, headline=True),
        "s1-cold": Goal("S1 end to end, openvino fp32 / nnU-Net's cold command line", 0.2, 0.12, headline=True),
        "s1-outside": Goal("S1, openvino fp32: everything outside the network / network", 0.10, 0.05),
        "s2-memory": Goal("S2: server's peak memory / nnU-Net's", 0.3, 0.15, headline=True),
        "s1-first": Goal("S1, openvino fp32: time to the first labels / total", 0.6, 0.4),
        "resample": Goal("resampling order 3, scikit-image's time / ours", 25, 60, higher=True),
        "restore-25": Goal("restore of 25 classes, nnU-Net's export time / ours", 20, 60, higher=True),
        "restore-memory": Goal("the same: GiB beyond input and labels", 2, 1),
        "concurrent": Goal("4 concurrent requests / 4 in a row", 1.03, 1.0),
        "small-wait": Goal("a small request beside a large one: further wait in tiles", 4),
        "memory-growth": Goal("server's memory after the last of 200 mixed requests / after the 20th", 1.03, 1.01),
    }
