"""Converts one fold's network to OpenVINO IR (fp32 weights, fixed shape) and runs such a file."""

import logging
import warnings
from pathlib import Path

import openvino
import torch
from openvino.frontend.pytorch import ConversionExtension

from nnseg_export import openvino_norm


# Every tensor of an exported network is float32; transformers' position embeddings ask.
_IS_FLOATING_POINT = ConversionExtension(
    "aten::is_floating_point", lambda _: [openvino.opset13.constant(True, openvino.Type.boolean).output(0)]
)


def save(torchscript_file: Path, example: torch.Tensor, path: Path) -> None:
    """Writes `path` (.xml) and the weights beside it (.bin) from the fold's TorchScript file."""
    logging.getLogger("openvino").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.load(str(torchscript_file), map_location="cpu")
        model = openvino.convert_model(
            traced, example_input=example, input=[list(example.shape)], extension=[_IS_FLOATING_POINT]
        )
    openvino_norm.rewrite(model)
    model.inputs[0].get_tensor().set_names({"input"})
    model.outputs[0].get_tensor().set_names({"logits"})
    openvino.save_model(model, path, compress_to_fp16=False)


class Runner:
    """The saved IR on the CPU in f32."""

    def __init__(self, path: Path):
        self._network = openvino.Core().compile_model(
            path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        )

    def __call__(self, patch: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self._network(patch.numpy())[0].copy())
