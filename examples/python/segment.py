"""Segments a NIfTI file on an nnseg server: segment.py HOST:PORT MODEL INPUT OUTPUT.

For models of one channel that were trained on what SimpleITKIO or NibabelIO reads. Needs numpy, nibabel, grpcio and the
classes that protoc makes from proto/ (see README.md in this folder).
"""

import sys
import zlib

import grpc
import nibabel
import numpy as np
from segmentation.v1.segmentation_service_pb2 import LABEL_TYPE_UINT8, ModelSpec, SegmentHeader, SegmentRequest
from segmentation.v1.segmentation_service_pb2_grpc import SegmentationServiceStub
from segmentation.v1.volume_pb2 import PIXEL_TYPE_FLOAT32, Geometry, VoxelChunk


def requests(name, image):
    voxels = np.asarray(image.dataobj, np.float32).T.tobytes()  # C order (z, y, x)
    spacing = np.array(image.header.get_zooms(), float)
    lps = np.diag([-1, -1, 1]) @ image.affine[:3]  # NIfTI's world is RAS, the wire's is LPS
    grid = Geometry(size=image.shape, spacing_mm=spacing, origin_mm=lps[:, 3], direction=(lps[:, :3] / spacing).flat)
    yield SegmentRequest(header=SegmentHeader(model=ModelSpec(name=name), geometry=grid, pixel_type=PIXEL_TYPE_FLOAT32))
    for i in range(0, len(voxels), 1 << 20):
        yield SegmentRequest(chunk=VoxelChunk(offset=i, data=voxels[i:i + (1 << 20)]))


def segment(channel, name, image):
    for event in SegmentationServiceStub(channel).Segment(requests(name, image)):
        if event.HasField("progress"):
            print(f"{event.progress.tiles_done}/{event.progress.tiles_total} tiles", file=sys.stderr)
        elif event.HasField("result_header"):
            labels = np.zeros(image.shape[::-1], "u1" if event.result_header.label_type == LABEL_TYPE_UINT8 else "<u2")
        elif event.HasField("label_chunk"):
            box = tuple(map(slice, event.label_chunk.box.begin, event.label_chunk.box.end))
            labels[box].flat = np.frombuffer(zlib.decompress(event.label_chunk.data), labels.dtype)
    return nibabel.Nifti1Image(labels.T, image.affine)


if __name__ == "__main__":
    server, model, source, target = sys.argv[1:]
    with grpc.insecure_channel(server) as channel:
        nibabel.save(segment(channel, model, nibabel.load(source)), target)
