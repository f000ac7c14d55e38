"""Turns a trained nnU-Net v2 model folder into a model bundle of nnseg."""

__version__ = "0.1.0"


class ExportError(Exception):
    """A model, bundle or option that cannot be used. The text names the file, the key and what was expected."""
