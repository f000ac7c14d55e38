"""Networks that nnU-Net does not bring, as a plan may name them."""

import torch


class Traceable(torch.nn.Module):
    """One convolution and one nonlinearity of its own kind."""

    def __init__(self, input_channels, num_classes, deep_supervision):
        super().__init__()
        self.conv = torch.nn.Conv3d(input_channels, num_classes, 3, padding=1)

    def forward(self, x):
        return torch.erf(self.conv(x))


class Branching(Traceable):
    """Takes another way through for other voxels, which no trace can follow."""

    def forward(self, x):
        return super().forward(x) * (1 if x.mean() > 0 else -1)


class Failing(Traceable):
    """Cannot run at all."""

    def forward(self, x):
        raise ValueError("no patch is good enough")


class Untraceable(Traceable):
    """Runs, but not while it is traced."""

    def forward(self, x):
        if torch.jit.is_tracing():
            raise RuntimeError("this network is not for tracing")
        return super().forward(x)


class Unconvertible(Traceable):
    """Uses an operator that OpenVINO does not know."""

    def forward(self, x):
        return torch.special.bessel_j0(super().forward(x))
