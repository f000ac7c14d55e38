"""Checks plans.json and dataset.json for everything that inference reads from them.

nnU-Net itself meets a missing key only when it needs it, often as a bare KeyError. A bundle is refused early instead,
with a text that names the file and the key.
"""

from nnseg_export import ExportError

# Keys that inference reads, with the JSON type of each.
_PLANS_KEYS = {"configurations": dict, "image_reader_writer": str, "transpose_forward": list, "transpose_backward": list}
_CONFIGURATION_KEYS = {
    "patch_size": list, "spacing": list, "normalization_schemes": list, "use_mask_for_norm": list,
    "preprocessor_name": str, "resampling_fn_data": str, "resampling_fn_data_kwargs": dict,
    "resampling_fn_seg": str, "resampling_fn_seg_kwargs": dict,
    "resampling_fn_probabilities": str, "resampling_fn_probabilities_kwargs": dict,
}  # fmt: skip
_ARCHITECTURE_KEYS = {"network_class_name": str, "arch_kwargs": dict, "_kw_requires_import": list}
# Old plans without the key `architecture` describe the network by these (plans_handler.py, ConfigurationManager).
_LEGACY_ARCHITECTURE_KEYS = {
    "UNet_class_name": str, "UNet_base_num_features": int, "unet_max_num_features": int,
    "n_conv_per_stage_encoder": list, "n_conv_per_stage_decoder": list, "num_pool_per_axis": list,
    "pool_op_kernel_sizes": list, "conv_kernel_sizes": list,
}  # fmt: skip
# What the server computes; nnU-Net itself finds such names anywhere in its package.
_NORMALIZATIONS = (
    "ZScoreNormalization", "CTNormalization", "NoNormalization", "RescaleTo01Normalization", "RGBTo01Normalization",
)  # fmt: skip
_RESAMPLERS = ("resample_data_or_seg_to_shape", "resample_torch_fornnunet", "no_resampling_hack")
_READERS = (
    "SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient", "NaturalImage2DIO", "Tiff3DIO",
)  # fmt: skip
_CT_PROPERTIES = ("mean", "std", "percentile_00_5", "percentile_99_5")


def check_plans(plans: dict) -> None:
    """Checks the parts of plans.json that belong to no single configuration, and every chain of inheritance."""
    for key, kind in _PLANS_KEYS.items():
        _require(plans, key, "plans.json", "", kind)
    forward, backward = plans["transpose_forward"], plans["transpose_backward"]
    for key in ("transpose_forward", "transpose_backward"):
        if sorted(plans[key]) != [0, 1, 2]:
            raise ExportError(f"plans.json: {key} is {plans[key]}, expected a permutation of 0, 1, 2")
    if [forward[axis] for axis in backward] != [0, 1, 2]:
        raise ExportError(f"plans.json: transpose_backward {backward} does not undo transpose_forward {forward}")
    _check_known("image_reader_writer", plans["image_reader_writer"], _READERS)
    for name in plans["configurations"]:
        resolve_configuration(plans, name)
    intensity_properties(plans)


def resolve_configuration(plans: dict, name: str) -> dict:
    """One configuration with its parents merged in: shallow, the child wins (nnU-Net 2.8.1, PlansManager)."""
    chain: list[str] = []
    layers: list[dict] = []
    while True:
        where = f"plans.json: configurations.{chain[-1]}.inherits_from" if chain else "plans.json: configurations"
        if name in chain:
            raise ExportError(f"{where}: cyclic inheritance {' -> '.join([*chain, name])}")
        if name not in plans["configurations"]:
            known = ", ".join(plans["configurations"])
            raise ExportError(f"{where}: unknown configuration '{name}', expected one of: {known}")
        chain.append(name)
        _require(plans["configurations"], name, "plans.json", "configurations.", dict)
        layers.append(plans["configurations"][name])
        if "inherits_from" not in layers[-1]:
            break
        name = layers[-1]["inherits_from"]
    return {key: value for layer in reversed(layers) for key, value in layer.items()}


def check_configuration(plans: dict, dataset: dict, name: str) -> dict:
    """Checks the configuration that is exported, and returns it resolved."""
    configuration = resolve_configuration(plans, name)
    where = f"configurations.{name}."
    for key, kind in _CONFIGURATION_KEYS.items():
        _require(configuration, key, "plans.json", where, kind)
    if "architecture" in configuration:
        for key, kind in _ARCHITECTURE_KEYS.items():
            _require(configuration["architecture"], key, "plans.json", where + "architecture.", kind)
    else:
        for key, kind in _LEGACY_ARCHITECTURE_KEYS.items():
            _require(configuration, key, "plans.json", where, kind)
    dimensions = len(configuration["patch_size"])
    if dimensions not in (2, 3):
        raise ExportError(f"plans.json: {where}patch_size has {dimensions} entries, expected 2 or 3")
    if len(configuration["spacing"]) != dimensions:
        raise ExportError(
            f"plans.json: {where}spacing has {len(configuration['spacing'])} entries, "
            f"expected {dimensions} as in patch_size"
        )
    channels = len(channel_names(dataset))
    for key in ("normalization_schemes", "use_mask_for_norm"):
        if len(configuration[key]) != channels:
            raise ExportError(
                f"plans.json: {where}{key} has {len(configuration[key])} entries, "
                f"expected {channels}, one per channel of dataset.json"
            )
    for index, scheme in enumerate(configuration["normalization_schemes"]):
        _check_known(f"{where}normalization_schemes.{index}", scheme, _NORMALIZATIONS)
    for what in ("data", "seg", "probabilities"):
        _check_known(f"{where}resampling_fn_{what}", configuration[f"resampling_fn_{what}"], _RESAMPLERS)
    _check_known(f"{where}preprocessor_name", configuration["preprocessor_name"], ("DefaultPreprocessor",))
    _check_ct_properties(plans, configuration)
    return configuration


def check_dataset(dataset: dict) -> None:
    """Checks labels, regions, channels and file ending of dataset.json."""
    _require(dataset, "labels", "dataset.json", "", dict)
    _require(dataset, "file_ending", "dataset.json", "", str)
    labels = dataset["labels"]
    _require(labels, "background", "dataset.json", "labels.")
    if labels["background"] != 0:
        raise ExportError(f"dataset.json: labels.background is {labels['background']}, expected 0")
    for name, value in labels.items():
        values = label_values(value)
        if not values or not all(isinstance(v, int) for v in values):
            raise ExportError(f"dataset.json: labels.{name} is {value}, expected an integer or a list of integers")
    if "ignore" in labels:
        _check_ignore(labels)
    if any(isinstance(value, list) and len(value) > 1 for value in labels.values()):
        _check_regions(dataset)
    channel_names(dataset)


def channel_names(dataset: dict) -> list[str]:
    """Names of the image channels in input order. The key `modality` of older data sets wins, as in nnU-Net."""
    key = "modality" if "modality" in dataset else "channel_names"
    _require(dataset, key, "dataset.json", "", dict)
    names = dataset[key]
    expected = [str(index) for index in range(len(names))]
    if not names or sorted(names) != sorted(expected):
        raise ExportError(f"dataset.json: {key} has the keys {', '.join(names) or 'none'}, expected 0, 1, ... in full")
    return [names[index] for index in expected]


def label_values(value: int | list[int]) -> list[int]:
    """An entry of `labels` as a list: one value for a label, several for a region."""
    return value if isinstance(value, list) else [value]


def check_channels(plans: dict, dataset: dict) -> None:
    """nnU-Net looks up the intensity properties of every channel, whatever its normalisation."""
    key, properties = intensity_properties(plans)
    for index, name in enumerate(channel_names(dataset)):
        if str(index) not in properties:
            raise ExportError(f"plans.json: {key}.{index} is missing (channel '{name}')")


def intensity_properties(plans: dict) -> tuple[str, dict]:
    """The key under which plans.json holds the intensity properties per channel, and their object."""
    modern = "foreground_intensity_properties_per_channel"
    legacy = "foreground_intensity_properties_by_modality"
    key = legacy if modern not in plans and legacy in plans else modern
    _require(plans, key, "plans.json", "", dict)
    return key, plans[key]


def _check_known(where: str, name: object, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ExportError(f"plans.json: {where} is {name}, expected one of: {', '.join(known)}")


def _check_ct_properties(plans: dict, configuration: dict) -> None:
    key, properties = intensity_properties(plans)
    for index, scheme in enumerate(configuration["normalization_schemes"]):
        if scheme == "CTNormalization":
            for name in _CT_PROPERTIES:
                _require(properties[str(index)], name, "plans.json", f"{key}.{index}.")


def _check_ignore(labels: dict) -> None:
    highest = max(v for name, value in labels.items() if name != "ignore" for v in label_values(value))
    if labels["ignore"] != highest + 1:
        raise ExportError(
            f"dataset.json: labels.ignore is {labels['ignore']}, expected {highest + 1}, one above the highest label"
        )


def _check_regions(dataset: dict) -> None:
    _require(dataset, "regions_class_order", "dataset.json", "")
    order = dataset["regions_class_order"]
    regions = [
        name for name in dataset["labels"]
        if name != "ignore" and any(label_values(dataset["labels"][name]))
    ]  # fmt: skip
    if not isinstance(order, list) or len(order) != len(regions):
        raise ExportError(
            f"dataset.json: regions_class_order is {order}, expected {len(regions)} entries, "
            f"one per region: {', '.join(regions)}"
        )


def _require(mapping: object, key: str, file: str, prefix: str, kind: type = object) -> None:
    if not isinstance(mapping, dict):
        raise ExportError(f"{file}: {prefix.rstrip('.')} is {type(mapping).__name__}, expected an object")
    if key not in mapping:
        raise ExportError(f"{file}: key {prefix}{key} is missing")
    if not isinstance(mapping[key], kind):
        raise ExportError(f"{file}: {prefix}{key} is {type(mapping[key]).__name__}, expected {kind.__name__}")
