"""Random cases of everything that nnU-Net's plans and predictor can say; one seed gives one case."""

import math

import numpy as np
from case_folder import Case
from nnunet_run import Options
from toy_model import Ensemble, Model, configuration, make_dataset, make_plans, resampling
from volumes import blobs, label_map

# About the tiles of one pass over the image: what a case may cost.
_MAX_TILES = 60
_SCHEMES = ("ZScoreNormalization", "CTNormalization", "RescaleTo01Normalization", "RGBTo01Normalization", "NoNormalization")


def random_case(seed: int) -> Case:
    return _Maker(seed).case()


class _Maker:
    def __init__(self, seed: int):
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.channels = self.pick([1, 2, 3], [0.6, 0.25, 0.15])
        self.kind = self.pick(["3d", "2d", "flat", "cascade", "ensemble"], [0.42, 0.18, 0.08, 0.18, 0.14])
        self.transpose = tuple(self.random.permutation(3).tolist()) if self.chance(0.5) and self.kind != "flat" else (0, 1, 2)

    def pick(self, items, weights=None):
        return items[self.random.choice(len(items), p=weights)]

    def chance(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def case(self) -> Case:
        target = self.target_spacing()
        spacing, shape = self.grid(target)  # internal axes
        dataset = self.dataset()
        labels = len({v for value in dataset["labels"].values() for v in np.atleast_1d(value).tolist()})
        model = self.model(target, shape, dataset)
        reader = [self.transpose.index(axis) for axis in range(3)]
        shape, spacing = tuple(shape[a] for a in reader), tuple(spacing[a] for a in reader)
        image = self.image(shape)
        previous = None
        if self.kind == "cascade" and self.chance(0.4):
            foreground = labels - ("ignore" in dataset["labels"])
            previous = label_map(self.seed, shape, foreground)
        return Case(f"seed_{self.seed}", model, image, spacing, self.options(model), previous)

    def target_spacing(self) -> list[float]:
        """Of the network's grid, internal axes; often with one coarse axis around the threshold of separate z."""
        base = self.pick([1.0, 0.8, 1.5, round(float(self.random.uniform(0.5, 2)), 4)])
        spacing = [base * self.pick([1.0, 1.1, 0.93]) for _ in range(3)]
        if self.chance(0.5):
            spacing[self.pick([0, 0, 1, 2])] = max(spacing) * self.pick([3.0, 3.0001, 2.5, 4.0, 5.5])
        return spacing

    def grid(self, target: list[float]) -> tuple[list[float], list[int]]:
        """Spacing and shape of an image whose network grid stays small."""
        if self.kind == "flat":
            sizes = self.random.integers(5, 41, 2).tolist()
            return [999.0, *(t * self.factor() for t in target[1:])], [1, *sizes]
        if self.chance(0.12):
            factors = [1.0, 1.0, 1.0]
        else:
            factors = [self.factor() for _ in range(3)]
            if self.chance(0.2):
                factors[self.pick([0, 1, 2])] *= self.pick([3.0, 2.6, 4.2])
        shape = []
        for axis in range(3):
            shape.append(int(self.random.integers(5, max(6, min(41, int(42 / factors[axis]))))))
        if self.chance(0.1):  # a few slices, but not so few that the lower stage's grid would be empty
            thin = self.pick([0, 1, 2])
            shape[thin] = max(int(self.random.integers(1, 5)), math.ceil(1.2 / factors[thin]))
        while math.prod(shape) > 25000:
            largest = shape.index(max(shape))
            shape[largest] = max(5, shape[largest] * 2 // 3)
        return [t * f for t, f in zip(target, factors, strict=True)], shape

    def factor(self) -> float:
        return self.pick([1.0, 2 / 3, 0.8, 1.3, 1.5, 2.0, float(self.random.uniform(0.6, 1.8))])

    def dataset(self) -> dict:
        kind = self.pick(["few", "one", "ignore", "regions", "many", "wide"], [0.46, 0.1, 0.12, 0.22, 0.06, 0.04])
        if kind == "wide" and (self.kind != "3d" and self.kind != "2d"):
            kind = "many"
        if kind == "one":
            return make_dataset(2, self.channels)
        if kind == "many":
            return make_dataset(int(self.random.integers(15, 30)), self.channels)
        if kind == "wide":
            return make_dataset(self.pick([255, 256, 270]), self.channels)
        count = int(self.random.integers(2, 6))  # foreground labels
        if kind == "few":
            return make_dataset(count + 1, self.channels)
        if kind == "ignore":
            labels = {"background": 0, **{f"l{v}": v for v in range(1, count + 1)}, "ignore": count + 1}
            return make_dataset(labels, self.channels)
        regions = [("whole", list(range(1, count + 1)))]
        regions += [(f"part_{v}", list(range(v, count + 1)) if v < count else v) for v in range(2, count + 1)]
        self.random.shuffle(regions)
        labels = {"background": 0, **dict(regions)}
        if self.chance(0.3):
            labels["ignore"] = count + 1
        order = self.random.permutation(np.arange(1, count + 1)).tolist()
        return make_dataset(labels, self.channels, regions_class_order=order)

    def resample(self) -> dict:
        kind = self.pick(["default", "odd", "torchres", "torchres_sepz", "none"], [0.48, 0.16, 0.14, 0.14, 0.08])
        frugal = {"seg": {"memefficient_seg_resampling": self.chance(0.5)}}
        if kind.startswith("torchres"):
            return resampling(kind, **frugal)
        if kind != "odd":
            return resampling(kind)
        force = self.pick([None, False, True])
        return resampling(
            data={"order": self.pick([0, 1, 3]), "order_z": self.pick([0, 0, 1, 3]), "force_separate_z": force},
            seg={"order": self.pick([0, 1, 3]), "order_z": self.pick([0, 0, 1]), "force_separate_z": force},
            probabilities={"order": self.pick([0, 1, 3]), "order_z": self.pick([0, 0, 1, 3]), "force_separate_z": force},
        )  # fmt: skip

    def configuration(self, target: list[float], shape: list[int], dimensions: int) -> dict:
        """`shape` is about the network grid's."""
        patch = [int(self.pick([8, 12, 16, 20, 24])) for _ in range(dimensions)]
        if dimensions == 3 and self.chance(0.3):
            patch[0] = 4
        grid = shape[-dimensions:]
        while math.prod(max(1, 3 * size // size_of_patch) for size, size_of_patch in zip(grid, patch, strict=True)) > _MAX_TILES:
            axis = max(range(dimensions), key=lambda a: grid[a] / patch[a])
            patch[axis] += 4
        strides = [[1] * dimensions, [1 if size < 8 else 2 for size in patch]]
        if self.chance(0.25) and min(patch[-2:]) >= 12:
            strides.append([2 if size % 4 == 0 and size >= 8 else 1 for size in patch])
        names = tuple(self.pick(_SCHEMES, [0.5, 0.2, 0.1, 0.1, 0.1]) for _ in range(self.channels))
        return configuration(
            patch, target[-dimensions:], normalization=names, mask=tuple(self.chance(0.4) for _ in names),
            resample=self.resample(), strides=strides, features=self.pick([2, 3, 4]), residual=self.chance(0.25),
        )  # fmt: skip

    def model(self, target: list[float], shape: list[int], dataset: dict) -> Model | Ensemble:
        name = f"seed-{self.seed}"
        common = {
            "folds": self.pick([1, 2, 3], [0.6, 0.25, 0.15]), "seed": self.seed,
            "trainer": self.pick(["nnUNetTrainer", "nnUNetTrainerBN"], [0.9, 0.1]),
        }  # fmt: skip
        grid = [2 * size for size in shape]  # at most
        full = self.configuration(target, grid, 3)
        low = {**self.configuration([2 * t for t in target], shape, 3), "normalization_schemes": full["normalization_schemes"]}
        slices = self.configuration(target, grid, 2)
        plans = make_plans({
            "3d_fullres": full, "3d_lowres": low, "2d": slices,
            "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
        }, self.transpose, self.channels)  # fmt: skip
        axes_3d, axes_2d = self.mirroring(3), self.mirroring(2)
        rules = self.rules(dataset)
        flat = Model(f"{name}-2d", plans, dataset, "2d", mirroring_axes=axes_2d, postprocessing=rules, **common)
        solid = Model(f"{name}-3d", plans, dataset, "3d_fullres", mirroring_axes=axes_3d, postprocessing=rules, **common)
        lower = Model(f"{name}-low", plans, dataset, "3d_lowres", mirroring_axes=axes_3d, **common)
        cascade = Model(
            f"{name}-cascade", plans, dataset, "3d_cascade_fullres", mirroring_axes=axes_3d, postprocessing=rules,
            previous_stage=lower, **common,
        )  # fmt: skip
        if self.kind == "ensemble":
            members = self.pick([(flat, solid), (solid, flat), (flat, cascade), (flat, solid, cascade)])
            return Ensemble(f"{name}-ensemble", members, rules)
        return {"3d": solid, "2d": flat, "flat": flat, "cascade": cascade}[self.kind]

    def mirroring(self, dimensions: int) -> tuple[int, ...] | None:
        axes = tuple(axis for axis in range(dimensions) if self.chance(0.4))
        return axes or None

    def rules(self, dataset: dict) -> list[dict]:
        if self.chance(0.7):
            return []
        values = sorted({v for key, value in dataset["labels"].items() if key != "ignore" for v in np.atleast_1d(value).tolist()})
        foreground = values[1:]
        rules = [{"labels_or_regions": foreground}] if self.chance(0.6) else []
        for _ in range(int(self.random.integers(1, 3))):
            some = sorted(self.random.choice(foreground, min(2, len(foreground)), replace=False).tolist())
            rules.append({"labels_or_regions": self.pick([some[0], some, [some, foreground[0]]])})
        if self.chance(0.3):
            rules[-1]["background_label"] = 0
        return rules

    def image(self, shape: tuple[int, int, int]) -> np.ndarray:
        margin = self.pick([0, 0, 1, 3])
        image = blobs(self.seed, shape, self.channels, margin, hole=self.chance(0.4))
        for channel in image:
            if self.channels > 1 and self.chance(0.3):
                axis = int(self.random.integers(3))
                np.moveaxis(channel, axis, 0)[: shape[axis] // 3] = 0
        if self.chance(0.02):
            image[:] = 0
        return image * self.pick([1.0, 0.5, 0.37], [0.6, 0.2, 0.2])

    def options(self, model: Model | Ensemble) -> Options:
        folds = (model.members[0] if isinstance(model, Ensemble) else model).folds
        chosen = None
        if folds > 1 and self.chance(0.4):
            chosen = tuple(self.random.permutation(folds)[: self.random.integers(1, folds + 1)].tolist())
        return Options(
            folds=chosen,
            step_size=self.pick([0.5, 1.0, 0.7, 0.33], [0.6, 0.15, 0.15, 0.1]),
            gaussian=self.chance(0.85),
            mirroring=self.chance(0.75),
            postprocessing=self.chance(0.8),
            probabilities=self.chance(0.2),
        )  # fmt: skip
