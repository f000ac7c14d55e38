"""Converts one fold's network to OpenVINO IR (fp32 weights, fixed shape) and runs such a file."""

import logging
import warnings
from pathlib import Path

import openvino
import torch
from openvino.frontend.pytorch import ConversionExtension

from nnseg_export import ExportError, openvino_norm


_OUR_CONVOLUTIONS = ["nnseg", "convolutions"]  # the mark's place in a network's rt_info

# Every tensor of an exported network is float32; transformers' position embeddings ask.
_IS_FLOATING_POINT = ConversionExtension(
    "aten::is_floating_point", lambda _: [openvino.opset13.constant(True, openvino.Type.boolean).output(0)]
)


def convert(torchscript_file: Path, example: torch.Tensor) -> openvino.Model:
    """The fold's TorchScript file as an OpenVINO model at the shape of `example`, (1, Cin, *patch) f32."""
    logging.getLogger("openvino").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.load(str(torchscript_file), map_location="cpu")
        model = openvino.convert_model(
            traced, example_input=example, input=[list(example.shape)], extension=[_IS_FLOATING_POINT]
        )
    model.inputs[0].get_tensor().set_names({"input"})
    model.outputs[0].get_tensor().set_names({"logits"})
    return model


def save(torchscript_file: Path, example: torch.Tensor, path: Path) -> None:
    """Writes the fp32 network: `path` (.xml) and the weights beside it (.bin)."""
    model = convert(torchscript_file, example)
    openvino_norm.rewrite(model)
    openvino.save_model(model, path, compress_to_fp16=False)


def save_lower(model: openvino.Model, path: Path) -> None:
    """Writes a network that is to run in lower precision; weights that are not quantised are stored in half precision."""
    openvino.save_model(model, path, compress_to_fp16=True)


def mark_for_our_convolutions(model: openvino.Model) -> openvino.Model:
    """Lets the server run a bf16 network with nnseg's own convolutions: for what was judged so, by nnseg-network."""
    model.set_rt_info("nnseg", _OUR_CONVOLUTIONS)
    return model


def remove(path: Path) -> None:
    """Removes an IR and its weights."""
    path.unlink()
    path.with_suffix(".bin").unlink()


class Runner:
    """An IR on the CPU in the precision "fp32", "bf16", "int8" or "int8_bf16"; the latter two for a quantised network."""

    def __init__(self, model: Path | openvino.Model, precision: str = "fp32"):
        rest = "bf16" if precision in ("bf16", "int8_bf16") else "f32"  # of all layers that are not quantised
        options = {"INFERENCE_PRECISION_HINT": rest, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        core = openvino.Core()
        if isinstance(model, Path):
            model = core.read_model(model)
        if precision == "bf16" and model.has_rt_info(_OUR_CONVOLUTIONS):
            raise ExportError("a bf16 network marked for nnseg's convolutions runs by nnseg-network only")
        self._network = core.compile_model(model, "CPU", options)

    def __call__(self, patch: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self._network(patch.numpy())[0].copy())
