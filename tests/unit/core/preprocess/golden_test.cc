// Compares whole prepared cases with those of nnU-Net 2.8.1 itself, to the bit. The goldens and how
// they were made: tests/data/preprocess/make_goldens.py.

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/preprocess/preprocessor.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using Json = nlohmann::json;

std::string GoldenPath(const std::string& name) {
  const char* const folder = std::getenv("NNSEG_TEST_DATA");
  return std::string(folder == nullptr ? "tests/data" : folder) + "/preprocess/" + name;
}

template <typename Triple>
Triple TripleOf(const Json& json) {
  return {{json.at(0), json.at(1), json.at(2)}};
}

PixelType PixelTypeOf(const std::string& name) {
  static const std::map<std::string, PixelType> kTypes = {
      {"int8", PixelType::kInt8},       {"uint8", PixelType::kUint8},
      {"int16", PixelType::kInt16},     {"uint16", PixelType::kUint16},
      {"int32", PixelType::kInt32},     {"uint32", PixelType::kUint32},
      {"float32", PixelType::kFloat32}, {"float64", PixelType::kFloat64}};
  return kTypes.at(name);
}

ChannelPlan ChannelOf(const Json& json) {
  static const std::map<std::string, Normalization> kSchemes = {
      {"ZScoreNormalization", Normalization::kZScore},
      {"CTNormalization", Normalization::kCt},
      {"NoNormalization", Normalization::kNone},
      {"RescaleTo01Normalization", Normalization::kRescaleTo01},
      {"RGBTo01Normalization", Normalization::kRgbTo01}};
  ChannelPlan channel;
  channel.normalization = kSchemes.at(json.at("scheme"));
  channel.use_mask = json.at("use_mask");
  channel.intensity = {json.value("mean", 0.0), json.value("std", 0.0),
                       json.value("percentile_00_5", 0.0), json.value("percentile_99_5", 0.0)};
  return channel;
}

ResamplingRule RuleOf(const Json& json) {
  if (json.is_null()) return {.resampler = Resampler::kNone};
  ResamplingRule rule;
  if (json.contains("order")) {
    rule.order = json.at("order");
    rule.order_z = json.at("order_z");
  } else {
    rule.resampler = Resampler::kTorch;
    rule.memory_efficient_labels = json.at("memefficient_seg_resampling");
  }
  const Json& force = json.at("force_separate_z");
  rule.force_separate_z = force.is_null() ? std::nullopt : std::optional(force.get<bool>());
  return rule;
}

SegmentationPlan PlanOf(const Json& json) {
  SegmentationPlan plan;
  plan.transpose_forward =
      AxisPermutation::Create(json.at("transpose_forward").get<std::array<int, 3>>()).value();
  const Json& target = json.at("target_spacing");
  plan.patch_dimensions = static_cast<int>(target.size());
  plan.spacing =
      target.size() == 3 ? TripleOf<Spacing3>(target) : Spacing3{{0, target.at(0), target.at(1)}};
  for (const Json& channel : json.at("channels")) plan.channels.push_back(ChannelOf(channel));
  plan.image_resampling = RuleOf(json.at("resampling"));
  if (json.contains("cascade")) {
    const Json& cascade = json.at("cascade");
    plan.previous_stage = "3d_lowres";
    plan.labels_resampling = RuleOf(cascade.at("resampling"));
    std::vector<LabelEntry> entries{{"background", {0}}};
    for (int label = 1; label <= cascade.at("foreground_labels"); ++label) {
      entries.push_back({absl::StrCat("label ", label), {label}});
    }
    plan.labels = LabelTable::Create(std::move(entries), std::nullopt).value();
  }
  return plan;
}

void CompareCase(const Json& json, std::ifstream& binary) {
  const auto shape = json.at("shape").get<std::array<int64_t, 4>>();
  auto voxels = VoxelBuffer::Allocate(PixelTypeOf(json.at("pixel_type")), shape[0],
                                      {{shape[1], shape[2], shape[3]}})
                    .value();
  binary.read(reinterpret_cast<char*>(voxels.bytes().data()),
              static_cast<std::streamsize>(voxels.bytes().size()));
  std::optional<Volume<uint16_t>> labels;
  if (json.contains("cascade")) {
    labels = Volume<uint16_t>::Uninitialized(1, voxels.shape());
    binary.read(reinterpret_cast<char*>(labels->voxels().data()),
                static_cast<std::streamsize>(labels->voxels().size_bytes()));
  }
  const auto prepared_shape = json.at("prepared_shape").get<std::array<int64_t, 4>>();
  auto expected = Volume<float>::Uninitialized(
      prepared_shape[0], {{prepared_shape[1], prepared_shape[2], prepared_shape[3]}});
  binary.read(reinterpret_cast<char*>(expected.voxels().data()),
              static_cast<std::streamsize>(expected.voxels().size_bytes()));
  ASSERT_TRUE(binary.good());

  const auto prepared = Preprocess(PlanOf(json), voxels, TripleOf<Spacing3>(json.at("spacing")),
                                   labels ? &*labels : nullptr, CancellationToken());
  NNSEG_ASSERT_OK(prepared);
  for (int axis = 0; axis < 3; ++axis) {
    EXPECT_EQ(prepared->properties.crop.begin[axis], json.at("crop").at(axis).at(0));
    EXPECT_EQ(prepared->properties.crop.end[axis], json.at("crop").at(axis).at(1));
  }
  ASSERT_EQ(prepared->image.channels(), expected.channels());
  ASSERT_EQ(prepared->image.shape(), expected.shape());
  EXPECT_EQ(CountDifferent(prepared->image.voxels(), std::as_const(expected).voxels()), 0);
}

TEST(PreprocessGolden, PreparedCasesEqualThoseOfNnunetToTheBit) {
  std::ifstream index(GoldenPath("goldens.json"));
  std::ifstream binary(GoldenPath("goldens.bin"), std::ios::binary);
  ASSERT_TRUE(index.good() && binary.good()) << GoldenPath("");
  const Json cases = Json::parse(index).at("cases");
  EXPECT_EQ(cases.size(), 41);
  for (const Json& json : cases) {
    SCOPED_TRACE(json.at("name").get<std::string>());
    ASSERT_NO_FATAL_FAILURE(CompareCase(json, binary));
  }
  EXPECT_EQ(binary.peek(), std::ifstream::traits_type::eof());
}

}  // namespace
}  // namespace nnseg
