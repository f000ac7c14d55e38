// Bit equality with nnU-Net 2.8.1's predict_logits_from_preprocessed_data over a toy network.
// tests/data/prediction/make_goldens.py makes the files.

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/inference/volume_predictor.h"
#include "gtest/gtest.h"
#include "tests/support/fake_patch_network.h"
#include "tests/support/golden.h"
#include "tests/support/slab_collector.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using nlohmann::json;

json Cases() { return ReadJson(TestDataPath("prediction/cases.json")).at("predict"); }

std::string FileOf(const json& kind, const json& name) {
  return TestDataPath("prediction/predict/" + kind.get<std::string>() + "_" +
                      name.get<std::string>() + ".npy");
}

// The network's shapes; a patch of 2 dimensions is one slice of the internal axes.
PatchSignature SignatureOf(const json& c, int64_t input_channels) {
  const json& patch = c.at("patch");
  PatchSignature signature{
      input_channels, c.at("heads"), {{1, 1, 1}}, static_cast<int>(patch.size())};
  std::copy(patch.begin(), patch.end(), signature.patch_size.end() - patch.size());
  return signature;
}

class PredictionGolden : public testing::TestWithParam<json> {
 protected:
  // Predicts the case with networks that leave their thread as `flush` says.
  Volume<Half> Predict(bool flush) {
    const json& c = GetParam();
    const auto image = ReadNpy<float>(FileOf("image", c.at("image")));
    std::vector<std::unique_ptr<FakePatchNetwork>> networks;
    std::vector<PatchNetwork*> folds;
    for (int fold = 0; fold < c.at("folds").get<int>(); ++fold) {
      networks.push_back(
          std::make_unique<FakePatchNetwork>(SignatureOf(c, image.channels()), fold));
      if (flush) networks.back()->FlushSubnormals();
      folds.push_back(networks.back().get());
    }
    PredictionOptions options;
    options.tile_step_size = c.at("step");
    options.use_gaussian = c.at("gaussian");
    const int first_axis = 3 - folds.front()->signature().patch_dimensions;
    for (const int patch_axis : c.at("mirrors")) {
      options.mirroring_axes.push_back(first_axis + patch_axis);
    }
    TileScheduler scheduler;
    SlabCollector collector(c.at("heads"), image.shape());
    EXPECT_THAT(
        PredictVolume(image, folds, options, scheduler, CancellationToken(), collector.observer()),
        IsOk());
    EXPECT_TRUE(collector.complete());
    return collector.TakeLogits();
  }
};

TEST_P(PredictionGolden, LogitsEqualNnunetsBits) {
  const auto golden = ReadNpy<Half>(FileOf("logits", GetParam().at("name")));
  const Volume<Half> logits = Predict(/*flush=*/false);
  EXPECT_EQ(CountDifferent<Half>(logits.voxels(), golden.voxels()), 0);
}

TEST_P(PredictionGolden, EnginesThatFlushSubnormalsDoNotChangeABit) {
  const auto golden = ReadNpy<Half>(FileOf("logits", GetParam().at("name")));
  const Volume<Half> logits = Predict(/*flush=*/true);
  EXPECT_EQ(CountDifferent<Half>(logits.voxels(), golden.voxels()), 0);
}

INSTANTIATE_TEST_SUITE_P(, PredictionGolden, testing::ValuesIn(Cases().get<std::vector<json>>()),
                         [](const auto& info) {
                           return info.param.at("name").template get<std::string>();
                         });

}  // namespace
}  // namespace nnseg
