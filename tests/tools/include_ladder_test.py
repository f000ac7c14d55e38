"""The ladder check sees the breaches it is there for, and lets the allowed includes pass."""

import pathlib
import tempfile
import unittest

import include_ladder


class IncludeLadder(unittest.TestCase):
    def offences(self, path, *includes):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_text("".join(f'#include "{include}"\n' for include in includes))
            found, count = include_ladder.check(pathlib.Path(folder))
            self.assertEqual(count, len(includes))
            return found

    def test_names_the_line_that_climbs(self):
        found = self.offences("core/geometry/box.h", "core/base/check.h", "core/volume/volume.h")
        self.assertEqual(
            found, ['core/geometry/box.h:2: #include "core/volume/volume.h": core/geometry may not use core/volume'])

    def test_folders_on_one_rung_do_not_see_each_other(self):
        self.assertTrue(self.offences("core/restore/logit_decoder.cc", "core/model/model_bundle.h"))
        self.assertTrue(self.offences("server/server.cc", "client/segmentation_client.h"))

    def test_rungs_below_are_open(self):
        self.assertEqual(self.offences("core/pipeline/pipeline.cc", "core/pipeline/pipeline.h", "core/base/check.h",
                                       "core/restore/slab_restorer.h", "absl/status/status.h", "vector"), [])

    def test_torch_stays_in_the_sources_of_its_leaf(self):
        self.assertEqual(self.offences("core/inference/torch/script_network.cc", "torch/script.h"), [])
        self.assertTrue(self.offences("core/inference/torch/script_network.h", "torch/script.h"))
        self.assertTrue(self.offences("core/inference/volume_predictor.cc", "ATen/Parallel.h"))
        self.assertTrue(self.offences("core/inference/torch/script_network.cc", "spdlog/spdlog.h"))
        self.assertTrue(self.offences("core/inference/torch/script_network.cc", "segmentation/v1/volume.pb.h"))
        self.assertTrue(self.offences("core/inference/openvino/openvino_network.cc", "torch/script.h"))

    def test_only_the_program_knows_the_engines(self):
        self.assertEqual(self.offences("server/engines.cc", "core/inference/torch/network_loader.h"), [])
        self.assertTrue(self.offences("server/server.cc", "core/inference/torch/network_loader.h"))

    def test_protobuf_and_grpc_stay_out_of_core(self):
        self.assertTrue(self.offences("core/model/model_repository.cc", "segmentation/v1/model_service.pb.h"))
        self.assertTrue(self.offences("core/base/log.cc", "grpcpp/grpcpp.h"))
        self.assertEqual(self.offences("proto/wire/geometry_codec.h", "segmentation/v1/volume.pb.h"), [])

    def test_a_folder_on_no_rung_is_an_offence(self):
        self.assertTrue(self.offences("core/utils/helpers.cc", "core/base/check.h"))
        self.assertTrue(self.offences("core/model/model_bundle.cc", "core/utils/helpers.h"))


if __name__ == "__main__":
    unittest.main()
