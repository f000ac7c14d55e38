"""How far an exported network's logits may lie from eager nnU-Net's."""

# TorchScript runs the very same kernels: every bit must agree. In logit units.
TORCH = 0.0
# OpenVINO sums in another order. As a fraction of the logits' range: it stays below the rounding of logits to half
# precision that nnU-Net applies afterwards (2^-11 = 4.9e-4 of the largest logit).
OPENVINO = 1e-4
