// Compares resampled labels and logits with those of nnU-Net 2.8.1 itself, to the bit. The goldens
// and how they were made: tests/data/resample/make_goldens.py.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/resample/anisotropic.h"
#include "core/resample/resample_labels.h"
#include "core/resample/torch_interpolation.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nnseg {
namespace {

using Json = nlohmann::json;

std::string GoldenPath(const std::string& name) {
  const char* const folder = std::getenv("NNSEG_TEST_DATA");
  return std::string(folder == nullptr ? "tests/data" : folder) + "/resample/" + name;
}

template <typename Triple>
Triple TripleOf(const Json& json) {
  return {{json.at(0), json.at(1), json.at(2)}};
}

ResamplingRule RuleOf(const Json& json) {
  ResamplingRule rule;
  const Json& arguments = json.at("arguments");
  if (json.at("function") == "resample_torch_fornnunet") rule.resampler = Resampler::kTorch;
  rule.order = arguments.value("order", rule.order);
  rule.order_z = arguments.value("order_z", rule.order_z);
  rule.memory_efficient_labels = arguments.value("memefficient_seg_resampling", false);
  const Json& force = arguments.at("force_separate_z");
  rule.force_separate_z = force.is_null() ? std::nullopt : std::optional(force.get<bool>());
  return rule;
}

template <typename T>
Volume<T> Read(int64_t channels, const Shape3& shape, std::ifstream& binary) {
  auto volume = Volume<T>::Uninitialized(channels, shape);
  binary.read(reinterpret_cast<char*>(volume.voxels().data()),
              static_cast<std::streamsize>(volume.voxels().size_bytes()));
  return volume;
}

struct Grids {
  Shape3 shape, new_shape;
  Spacing3 spacing, new_spacing;
};

void CompareLabels(const ResamplingRule& rule, const Grids& grids, std::ifstream& binary) {
  const auto source = Read<int8_t>(1, grids.shape, binary);
  const auto expected = Read<int8_t>(1, grids.new_shape, binary);
  auto labels = Volume<int32_t>::Uninitialized(1, grids.shape);
  std::copy(source.voxels().begin(), source.voxels().end(), labels.voxels().begin());
  auto out = Volume<int32_t>::Uninitialized(1, grids.new_shape);
  ResampleLabels(rule, ViewOf(std::as_const(labels), 0), grids.spacing, grids.new_spacing,
                 ViewOf(out, 0));
  const std::vector<int32_t> resampled(out.voxels().begin(), out.voxels().end());
  EXPECT_EQ(resampled, std::vector<int32_t>(expected.voxels().begin(), expected.voxels().end()));
}

void CompareLogits(const ResamplingRule& rule, const Grids& grids, int64_t channels,
                   std::ifstream& binary) {
  const auto logits = Read<Half>(channels, grids.shape, binary);
  const auto expected = Read<float>(channels, grids.new_shape, binary);
  const TorchInterpolation torch(
      grids.shape, grids.new_shape,
      SeparateAxis(rule.force_separate_z, grids.spacing, grids.new_spacing), channels);
  TorchInterpolation::Scratch scratch;
  std::vector<float> plane(static_cast<std::size_t>(grids.new_shape[1] * grids.new_shape[2]));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t k = 0; k < grids.new_shape[0]; ++k) {
      const auto [lower, upper] = torch.planes(k);
      const std::array<InputPlane<Half>, 2> planes = {
          {{&logits.at(c, {{lower, 0, 0}}), grids.shape[2]},
           {&logits.at(c, {{upper, 0, 0}}), grids.shape[2]}}};
      torch.Rows<Half>(c, k, planes, 0, grids.new_shape[1], scratch, plane);
      EXPECT_EQ(
          std::memcmp(plane.data(), &expected.at(c, {{k, 0, 0}}), plane.size() * sizeof(float)), 0)
          << "channel " << c << ", plane " << k;
    }
  }
}

TEST(ResampleGolden, LabelsAndLogitsEqualThoseOfNnunetToTheBit) {
  std::ifstream index(GoldenPath("goldens.json"));
  std::ifstream binary(GoldenPath("goldens.bin"), std::ios::binary);
  ASSERT_TRUE(index.good() && binary.good()) << GoldenPath("");
  const Json cases = Json::parse(index).at("cases");
  EXPECT_EQ(cases.size(), 42);
  for (const Json& json : cases) {
    SCOPED_TRACE(json.dump());
    const Grids grids{TripleOf<Shape3>(json.at("shape")), TripleOf<Shape3>(json.at("new_shape")),
                      TripleOf<Spacing3>(json.at("spacing")),
                      TripleOf<Spacing3>(json.at("new_spacing"))};
    const Json& channels = json.at("channels");
    if (channels.is_null()) {
      CompareLabels(RuleOf(json), grids, binary);
    } else {
      CompareLogits(RuleOf(json), grids, channels, binary);
    }
    ASSERT_TRUE(binary.good());
  }
  EXPECT_EQ(binary.peek(), std::ifstream::traits_type::eof());
}

}  // namespace
}  // namespace nnseg
