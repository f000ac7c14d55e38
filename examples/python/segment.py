"""Segments a NIfTI file on an nnseg server: segment.py HOST:PORT MODEL INPUT OUTPUT.

Needs numpy, nibabel, grpcio and the classes that protoc makes from proto/ (see README.md in this folder).
"""

import sys
import zlib

import grpc
import nibabel
import numpy as np
from segmentation.v1 import segmentation_service_pb2 as service, volume_pb2 as volume
from segmentation.v1.segmentation_service_pb2_grpc import SegmentationServiceStub


def requests(model, image):
    voxels = np.asarray(image.dataobj, np.float32).T.tobytes()  # C order (z, y, x)
    spacing = np.array(image.header.get_zooms(), float)
    lps = np.diag([-1, -1, 1]) @ image.affine[:3]  # NIfTI's world is RAS, the wire's is LPS
    geometry = volume.Geometry(size=image.shape, spacing_mm=spacing, origin_mm=lps[:, 3],
                               direction=(lps[:, :3] / spacing).ravel())
    yield service.SegmentRequest(header=service.SegmentHeader(
        model=service.ModelSpec(name=model), geometry=geometry, pixel_type=volume.PIXEL_TYPE_FLOAT32))
    for i in range(0, len(voxels), 1 << 20):
        yield service.SegmentRequest(chunk=volume.VoxelChunk(offset=i, data=voxels[i:i + (1 << 20)]))


def segment(server, model, image):
    with grpc.insecure_channel(server) as channel:
        for response in SegmentationServiceStub(channel).Segment(requests(model, image)):
            event = response.WhichOneof("event")
            if event == "progress":
                print(f"{response.progress.tiles_done}/{response.progress.tiles_total} tiles", file=sys.stderr)
            elif event == "result_header":
                wide = response.result_header.label_type == service.LABEL_TYPE_UINT16
                labels = np.zeros(image.shape[::-1], "<u2" if wide else "u1")
            elif event == "label_chunk":
                chunk = response.label_chunk
                box = tuple(map(slice, chunk.box.begin, chunk.box.end))
                labels[box].flat = np.frombuffer(zlib.decompress(chunk.data), labels.dtype)
            elif event == "summary":
                for label in response.summary.label_volumes:
                    print(f"{label.name}: {label.volume_ml:.1f} ml")
    return nibabel.Nifti1Image(labels.T, image.affine)


if __name__ == "__main__":
    server, model, source, target = sys.argv[1:]
    nibabel.save(segment(server, model, nibabel.load(source)), target)
