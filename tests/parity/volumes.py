"""Seeded images: smooth random structures with zeros around and inside, as medical images have them."""

import numpy as np
from scipy.ndimage import gaussian_filter


def blobs(seed: int, shape: tuple[int, int, int], channels: int = 1, margin: int = 0, hole: bool = False) -> np.ndarray:
    """(C, *shape) of whole numbers 0 to 255: noise at two scales; `margin` zero voxels on every side; `hole`: zeros inside
    that do not touch the margin."""
    random = np.random.default_rng(seed)
    image = np.empty((channels, *shape), np.float32)
    for channel in image:
        coarse = gaussian_filter(random.standard_normal(shape), [min(3, n / 4) for n in shape])
        fine = gaussian_filter(random.standard_normal(shape), [min(0.7, n / 8) for n in shape])
        mixed = coarse / coarse.std() + 0.5 * fine / fine.std() if coarse.std() > 0 else fine
        channel[:] = np.clip(np.rint(120 + 45 * mixed), 1, 255)
    inside = np.zeros(shape, bool)
    inside[tuple(slice(margin, n - margin) if n >= 2 * margin + 4 else slice(None) for n in shape)] = True
    image[:, ~inside] = 0
    if hole:
        centre = tuple(slice(max(n // 2 - max(n // 8, 1), 0), n // 2 + max(n // 8, 1)) for n in shape)
        image[(slice(None), *centre)] = 0
    return image


def label_map(seed: int, shape: tuple[int, int, int], labels: int) -> np.ndarray:
    """Label regions of some voxels' size with junctions, values 0 to labels - 1."""
    random = np.random.default_rng(seed)
    scores = [gaussian_filter(random.standard_normal(shape), [min(2, n / 5) for n in shape]) for _ in range(labels)]
    return np.argmax(scores, axis=0).astype(np.uint16)
