#include "tests/integration/engines/example_patch.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "core/base/check.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

// Number `i` of a fixed row of numbers in [0, 1), exact.
float Noise(std::size_t i) {
  auto hash = static_cast<uint32_t>(i * 2654435761U + 12345U);
  hash ^= hash >> 15;
  hash *= 2246822519U;
  hash ^= hash >> 13;
  return static_cast<float>(hash >> 8) * 0x1p-24F;
}

}  // namespace

std::string DataFile(const std::string& name) {
  const char* data = std::getenv("NNSEG_TEST_DATA");
  NNSEG_CHECK(data != nullptr);  // ctest sets it
  return std::filesystem::path(data) / name;
}

std::string ExampleFile(const std::string& name) {
  const char* examples = std::getenv("NNSEG_EXAMPLES");
  NNSEG_CHECK(examples != nullptr);  // ctest sets it
  return std::filesystem::path(examples) / "models" / "brain-t1" / "1" / name;
}

std::vector<float> ExamplePatch() {
  std::vector<float> patch;
  patch.reserve(static_cast<std::size_t>(kExampleSignature.input_size()));
  const Shape3& shape = kExampleSignature.patch_size;
  for (int64_t z = 0; z < shape[0]; ++z) {
    for (int64_t y = 0; y < shape[1]; ++y) {
      for (int64_t x = 0; x < shape[2]; ++x) {
        const int64_t distance = (z - 32) * (z - 32) + (y - 32) * (y - 32) + (x - 32) * (x - 32);
        patch.push_back((distance < 784 ? 1.5F : -1.0F) + Noise(patch.size()) * 0.5F);
      }
    }
  }
  return patch;
}

std::vector<float> SlicePatch() {
  std::vector<float> patch;
  patch.reserve(static_cast<std::size_t>(kSliceSignature.input_size()));
  const Shape3& shape = kSliceSignature.patch_size;
  for (int64_t c = 0; c < kSliceSignature.input_channels; ++c) {
    for (int64_t y = 0; y < shape[1]; ++y) {
      for (int64_t x = 0; x < shape[2]; ++x) {
        const int64_t distance = (y - 60) * (y - 60) + (x - 70) * (x - 70);
        const float value = distance < 900 ? 0.75F - 0.25F * static_cast<float>(c) : 0.125F;
        patch.push_back(value + Noise(patch.size()) * 0.125F);
      }
    }
  }
  return patch;
}

std::vector<int> Labels(const std::vector<float>& logits, const PatchSignature& signature) {
  const auto voxels = static_cast<std::size_t>(signature.patch_size.voxels());
  std::vector<int> labels(voxels, 0);
  for (std::size_t i = 0; i < voxels; ++i) {
    for (int k = 1; k < signature.output_channels; ++k) {
      if (logits[k * voxels + i] > logits[labels[i] * voxels + i]) labels[i] = k;
    }
  }
  return labels;
}

double PercentEqual(const std::vector<int>& a, const std::vector<int>& b) {
  NNSEG_CHECK(a.size() == b.size());
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return 100.0 * static_cast<double>(equal) / static_cast<double>(a.size());
}

std::vector<float> RunOnce(PatchNetwork& network, const std::vector<float>& patch) {
  std::vector<float> logits(static_cast<std::size_t>(network.signature().output_size()));
  NNSEG_EXPECT_OK(network.Run(patch, logits));
  return logits;
}

}  // namespace nnseg
