#!/usr/bin/env python3
"""Makes tests/data/readers: image files, and what nnU-Net's readers and writers make of them.

usage: make_reader_goldens.py OUT [READER=FILE[,FILE...] ...]

Needs nnunetv2 2.8.1. For each case cases.json holds the reader's name, the files, the shape and spacing of nnU-Net's
array, the CRC-32 of its float32 bytes and a label file that nnU-Net's writer made of the labels (7 i) % 11, i counting
the array's voxels. Further files may be named: they become cases too, with absolute paths.
"""

import json
import pathlib
import sys
import zlib

import nibabel
import numpy as np
import SimpleITK as sitk
import tifffile
from PIL import Image as Picture
from skimage import io as skimage_io

from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name as find_reader

rng = np.random.default_rng(20240607)


def rotation(a, b, c):
    def turn(angle, i, j):
        m = np.eye(3)
        m[i, i] = m[j, j] = np.cos(angle)
        m[i, j], m[j, i] = -np.sin(angle), np.sin(angle)
        return m

    return turn(a, 0, 1) @ turn(b, 1, 2) @ turn(c, 0, 2)


def affine_of(matrix, zooms, origin=(-31.5, 20.25, 7)):
    affine = np.eye(4)
    affine[:3, :3] = matrix @ np.diag(zooms)
    affine[:3, 3] = origin
    return affine


def voxels(shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 300, shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(max(info.min, -2**40), min(info.max, 2**40), shape, dtype=dtype)


PERMUTED = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], float)
AFFINES = {
    "ras": affine_of(np.eye(3), (0.7, 0.8, 2.5)),
    "lps": affine_of(np.diag([-1.0, -1, 1]), (0.8, 0.7, 2.5)),
    "permuted": affine_of(PERMUTED, (0.7, 2.5, 0.8)),
    "oblique": affine_of(rotation(0.3, -0.2, 0.15) @ PERMUTED, (0.7, 1.1, 0.9765625)),
    "tilted": affine_of(rotation(0.9, 0.7, -0.6), (0.333, 1.7, 0.48828125)),
    "reversed": affine_of(rotation(-0.1, 0.05, 0.2) @ np.diag([1.0, -1, -1]), (3.3, 0.6, 0.6)),
}
NIFTI_READERS = ["SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient"]


def make_files(out):
    """Yields (reader, files) of every case."""
    for (name, affine), dtype in zip(AFFINES.items(), ["int16", "uint8", "float32", "int16", "float64", "int32"]):
        image = nibabel.Nifti1Image(voxels((5, 4, 3), dtype), affine)
        image.to_filename(out / f"{name}_0000.nii.gz")
        for reader in NIFTI_READERS:
            yield reader, [f"{name}_0000.nii.gz"]

    scaled = nibabel.Nifti1Image(voxels((4, 3, 5), "int16"), AFFINES["lps"])
    scaled.header.set_slope_inter(0.1, -1024.3)
    scaled.to_filename(out / "scaled_0000.nii")
    qform = nibabel.Nifti1Image(voxels((4, 3, 5), "int16"), None)
    qform.header.set_qform(AFFINES["oblique"], code=1)
    qform.header.set_sform(None, code=0)
    nibabel.Nifti1Image(np.asanyarray(qform.dataobj), None, qform.header).to_filename(out / "qform_0000.nii.gz")
    for reader in NIFTI_READERS:
        yield reader, ["qform_0000.nii.gz"]
        yield reader, ["scaled_0000.nii"]
    nibabel.Nifti1Image(voxels((4, 3, 5), "int64"), AFFINES["ras"], dtype="int64").to_filename(out / "wide_0000.nii.gz")
    yield "NibabelIO", ["wide_0000.nii.gz"]
    yield "SimpleITKIO", ["wide_0000.nii.gz"]

    for channel in range(2):
        dtype = ["int16", "float32"][channel]
        image = nibabel.Nifti1Image(voxels((5, 4, 3), dtype), AFFINES["tilted"])
        image.to_filename(out / f"pair_{channel:04d}.nii.gz")
    for reader in NIFTI_READERS:
        yield reader, ["pair_0000.nii.gz", "pair_0001.nii.gz"]

    for ending in ["nrrd", "mha"]:
        for name in ["permuted", "tilted"]:
            image = sitk.GetImageFromArray(voxels((3, 4, 5), "int16"))
            matrix = AFFINES[name][:3, :3]
            zooms = np.sqrt((matrix**2).sum(0))
            image.SetSpacing(zooms)
            image.SetDirection((np.diag([-1, -1, 1]) @ (matrix / zooms)).ravel())
            image.SetOrigin((12.5, -3.25, 100))
            sitk.WriteImage(image, str(out / f"{name}_0000.{ending}"), True)
            yield "SimpleITKIO", [f"{name}_0000.{ending}"]
            yield "SimpleITKIOWithReorient", [f"{name}_0000.{ending}"]
    flat = sitk.GetImageFromArray(voxels((4, 6), "uint8"))
    flat.SetSpacing((0.7, 1.3))
    flat.SetOrigin((5, -6))
    for ending in ["nrrd", "mha", "nii.gz"]:
        sitk.WriteImage(flat, str(out / f"flat_0000.{ending}"), True)
        yield "SimpleITKIO", [f"flat_0000.{ending}"]
    four = sitk.GetImageFromArray(voxels((2, 3, 4, 5), "int16"), isVector=False)
    four.SetSpacing((0.7, 0.8, 2.5, 1))
    for ending in ["nii.gz", "nrrd", "mha"]:
        sitk.WriteImage(four, str(out / f"four_0000.{ending}"), True)
        yield "SimpleITKIO", [f"four_0000.{ending}"]

    pictures = {
        "grey": voxels((6, 5), "uint8"),
        "grey16": voxels((6, 5), "uint16"),
        "rgb": voxels((6, 5, 3), "uint8"),
        "rgba": voxels((6, 5, 4), "uint8"),
    }
    for name, pixels in pictures.items():
        for ending in ["png", "bmp", "tif"]:
            if ending == "bmp" and name in ("grey16", "rgba"):
                continue
            skimage_io.imsave(out / f"{name}_0000.{ending}", pixels, check_contrast=False)
            yield "NaturalImage2DIO", [f"{name}_0000.{ending}"]
    Picture.fromarray(pictures["grey"] > 99).save(out / "bits_0000.png")
    yield "NaturalImage2DIO", ["bits_0000.png"]
    Picture.fromarray(pictures["rgb"]).quantize(7).save(out / "palette_0000.png")
    yield "NaturalImage2DIO", ["palette_0000.png"]
    Picture.fromarray(pictures["rgb"]).quantize(7).save(out / "palette_0000.bmp")
    yield "NaturalImage2DIO", ["palette_0000.bmp"]
    for channel in range(2):
        pixels = voxels((6, 5, 3), "uint8")
        skimage_io.imsave(out / f"two_{channel:04d}.png", pixels, check_contrast=False)
    yield "NaturalImage2DIO", ["two_0000.png", "two_0001.png"]

    for name, dtype, options in [
        ("pages", "uint8", {"compression": "zlib"}),
        ("pages16", "uint16", {}),
        ("pagesf", "float32", {}),
    ]:
        tifffile.imwrite(out / f"{name}_0000.tif", voxels((7, 6, 5), dtype), **options)
        yield "Tiff3DIO", [f"{name}_0000.tif"]
    (out / "pages.json").write_text(json.dumps({"spacing": [2.5, 0.7, 0.8]}))


def describe(out, number, reader, files):
    """The case as cases.json holds it; writes its label file where nnU-Net's writer can."""
    io = find_reader(reader)()
    array, properties = io.read_images([str(out / file) for file in files])
    labels = (7 * np.arange(np.prod(array.shape[1:])) % 11).reshape(array.shape[1:])
    case = {
        "reader": reader,
        "files": files,
        "shape": list(array.shape),
        "spacing": [float(s) for s in properties["spacing"]],
        "crc32": zlib.crc32(np.ascontiguousarray(array, dtype="<f4").tobytes()),
    }
    name = pathlib.Path(files[0]).name
    stem, _, ending = name.partition(".")
    try:
        case["labels"] = f"{stem[:-5]}-labels{number}.{ending}"
        io.write_seg(labels, str(out / case["labels"]), properties)
    except AssertionError:  # SimpleITKIO does not write back what had four axes
        del case["labels"]
    return case


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    cases = list(make_files(out))
    cases += [(reader, files.split(",")) for reader, _, files in (case.partition("=") for case in sys.argv[2:])]
    text = ",\n".join(json.dumps(describe(out, number, *case)) for number, case in enumerate(cases))
    (out / "cases.json").write_text(f"[\n{text}\n]\n")


main()
