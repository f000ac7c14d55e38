"""Post-training quantisation of a network's convolutions to 8-bit integers by NNCF.

What NNCF would do of itself loses the gate on trained nnU-Nets, for two reasons that its options and one rewriting remove.
It also quantises what goes into a normalisation, which divides the noise by a small deviation; here only the inputs and
weights of convolutions and matrix products are. And all inputs of a concatenation must share one scale, so that the skip
connection, which a rectifier made almost positive, loses half of its levels to the other input's negative values; here
the convolution of a concatenation becomes the sum of one convolution for each part, each with a scale of its own.
"""

import importlib.metadata
import logging
import math
import os
from collections.abc import Collection, Sequence

import numpy as np
import openvino
import torch
from openvino import Node
from openvino._offline_transformations import compress_quantize_weights_transformation
from openvino import opset13 as ops

from nnseg_export import ExportError
from nnseg_export.network import quiet

_LAYERS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul")


def require() -> None:
    """Refuses when NNCF is not installed, before anything long is begun."""
    try:
        importlib.metadata.version("nncf")
    except importlib.metadata.PackageNotFoundError as error:
        raise ExportError("--int8: needs NNCF: run deploy/export/setup --int8") from error


def quantise(model: openvino.Model, tiles: Sequence[torch.Tensor]) -> openvino.Model:
    """A copy of `model` in which every layer is quantised; the ranges of activations are measured on `tiles`."""
    os.environ.setdefault("NNCF_CI", "1")  # before the import: no usage reports to NNCF's authors
    import nncf

    model = model.clone()
    _split_concatenations(model)
    others = {op.get_type_name() for op in model.get_ops()} - {*_LAYERS, "Parameter", "Constant", "Result"}
    nncf.set_log_level(logging.ERROR)
    with quiet():
        return nncf.quantize(
            model,
            nncf.Dataset([tile.numpy() for tile in tiles]),
            subset_size=len(tiles),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(types=sorted(others), validate=False),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                # The full range of weights: the gate demands a processor whose sums cannot overflow.
                overflow_fix=nncf.OverflowFix.DISABLE,
                # Normalisation takes a convolution's bias out again, and layers are left out afterwards.
                disable_bias_correction=True,
                backend_params={"compress_weights": False},  # see compressed()
            ),
        )


def layers(model: openvino.Model) -> dict[str, int]:
    """The quantised layers in order of execution, each with its multiplications in one pass."""
    return {op.get_friendly_name(): _multiplications(op) for op in model.get_ordered_ops() if _is_quantised(op)}


def describe(model: openvino.Model, layer: str) -> str:
    """A layer in words: channels and the size of what it reads."""
    op = next(op for op in model.get_ops() if op.get_friendly_name() == layer)
    (_, channels, *size), outputs = op.get_input_shape(0), op.get_output_shape(0)[1]
    return f"{channels} -> {outputs} channels on {' x '.join(map(str, size))}"


def leaving_out(model: openvino.Model, names: Collection[str]) -> openvino.Model:
    """A copy of the quantised `model` in which the layers `names` are not quantised."""
    model = model.clone()
    for op in model.get_ordered_ops():
        if op.get_friendly_name() in names:
            for port in (op.input(0), op.input(1)):
                source = port.get_source_output().get_node()
                if source.get_type_name() == "FakeQuantize":
                    port.replace_source_output(source.input(0).get_source_output())
    model.validate_nodes_and_infer_types()
    return model


def compressed(model: openvino.Model) -> openvino.Model:
    """`model`, changed in place, with the weights of quantised layers stored in 8 bits."""
    compress_quantize_weights_transformation(model)
    return model


def _is_quantised(op: Node) -> bool:
    return (
        op.get_type_name() in _LAYERS and op.input(0).get_source_output().get_node().get_type_name() == "FakeQuantize"
    )


def _multiplications(op: Node) -> int:
    """Each weight meets every voxel of the output; of a transposed convolution, of the input."""
    voxels = op.get_input_shape(0) if op.get_type_name() == "ConvolutionBackpropData" else op.get_output_shape(0)
    return math.prod(op.get_input_shape(1)) * math.prod(voxels[2:])


def _split_concatenations(model: openvino.Model) -> None:
    for op in model.get_ordered_ops():
        source = op.input(0).get_source_output().get_node() if op.get_type_name() == "Convolution" else None
        if source is not None and source.get_type_name() == "Concat" and source.get_attributes()["axis"] == 1:
            op.output(0).replace(_sum_of_parts(op, source).output(0))
    model.validate_nodes_and_infer_types()


def _sum_of_parts(convolution: Node, concatenation: Node) -> Node:
    weights = convolution.input(1).get_source_output().get_node().get_data()
    how = convolution.get_attributes()
    total, first = None, 0
    for index in range(concatenation.get_input_size()):
        part = concatenation.input(index).get_source_output()
        end = first + part.get_shape()[1]
        kernel = ops.constant(np.ascontiguousarray(weights[:, first:end]))
        product = ops.convolution(part, kernel, how["strides"], how["pads_begin"], how["pads_end"], how["dilations"])
        product.set_friendly_name(f"{convolution.get_friendly_name()}/{index}")
        total, first = product if total is None else ops.add(total, product), end
    return total
