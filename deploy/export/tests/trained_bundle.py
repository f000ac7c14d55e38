"""A model that was trained a little, as a bundle, with volumes to judge on: what tests of lower precisions share."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK
import torch
from conftest import DATASET, PLANS, write_model

from nnseg_export import cpu
from nnseg_export.cli import main

needs_bf16 = pytest.mark.skipif(not cpu.has_bf16(), reason="the processor has neither avx512_bf16 nor amx_bf16")


@pytest.fixture(scope="session")
def one_thread():
    """Networks as small as these only lose by more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def blocks(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An image of two bright and two dark blocks under weak noise, and their labels 1 and 2; both (z, y, x)."""
    random = np.random.default_rng(seed)
    labels = np.zeros((20, 24, 18), np.int64)
    for label in (1, 2, 1, 2):
        corner = random.integers(0, (10, 14, 8))
        labels[tuple(slice(start, start + 8) for start in corner)] = label
    image = np.array([0.0, 4.0, -3.0])[labels] + random.normal(0, 0.1, labels.shape)
    return image.astype(np.float32), labels


def train(folder) -> None:
    """Fits the weights of every fold to blocks(), in the normalisation that PLANS asks for."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), None, "checkpoint_final.pth")
    for fold, weights in enumerate(predictor.list_of_parameters):
        network = predictor.network
        network.load_state_dict(weights)
        optimiser = torch.optim.Adam(network.parameters(), 0.03)
        for step in range(100):
            image, labels = blocks(1000 + step)
            image = (np.clip(image, -3, 4) - 1) / 2
            crop = np.s_[:16, step % 8 : step % 8 + 16, :16]
            patch = np.ascontiguousarray(image[crop].transpose(2, 0, 1))[None, None]
            target = np.ascontiguousarray(labels[crop].transpose(2, 0, 1))[None]
            loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(patch)), torch.from_numpy(target))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        path = folder / f"fold_{fold}" / "checkpoint_final.pth"
        content = torch.load(path, weights_only=False)
        torch.save(content | {"network_weights": network.state_dict()}, path)


@pytest.fixture(scope="session")
def repository(tmp_path_factory, one_thread):
    """A repository with the bundle `blocks` of a trained model; tests only read it."""
    root = tmp_path_factory.mktemp("precisions")
    folder = write_model(root / "results", PLANS, DATASET)
    train(folder)
    assert main([str(folder), "--name", "blocks", "--output", str(root / "repository")]) == 0
    return root / "repository"


@pytest.fixture
def models(repository, tmp_path):
    """A copy of it for one test to write into."""
    return shutil.copytree(repository, tmp_path / "repository")


@pytest.fixture(scope="session")
def volumes(tmp_path_factory):
    root = tmp_path_factory.mktemp("volumes")
    paths = [root / f"case{seed}_0000.nii.gz" for seed in range(4)]
    for seed, path in enumerate(paths):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(blocks(seed)[0]), str(path))
    return [str(path) for path in paths]


def precisions(models, *options):
    return main(["precisions", "blocks", "--output", str(models), *options])


def manifest_of(bundle):
    return json.loads((bundle / "manifest.json").read_text())
