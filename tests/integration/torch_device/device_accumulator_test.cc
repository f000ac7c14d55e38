#include "core/inference/torch/device_accumulator.h"

#include <ATen/core/Tensor.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/tiling/gaussian_importance.h"
#include "core/tiling/slab_accumulator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/torch_device/tensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

struct Geometry {
  std::string name;
  Shape3 image;
  Shape3 patch;
  int dimensions = 3;
  double step = 0.5;
  std::optional<Box3> box;  // whose logits are wanted
};

void PrintTo(const Geometry& geometry, std::ostream* out) { *out << geometry.name; }

PatchGrid GridOf(const Geometry& geometry) {
  PatchGrid grid =
      *PatchGrid::Create(geometry.image, geometry.patch, geometry.dimensions, geometry.step);
  return geometry.box ? grid.Within(*geometry.box) : grid;
}

class DeviceAccumulatorOn : public testing::TestWithParam<Geometry> {
 protected:
  // Adds the same tiles to both accumulators and compares every slab.
  void ExpectTheHostsSlabs(int64_t folds, bool gaussian) {
    NNSEG_SKIP_WITHOUT_DEVICE();
    const PatchGrid grid = GridOf(GetParam());
    const auto importance =
        gaussian ? GaussianImportance(grid.patch_size()) : UniformImportance(grid.patch_size());
    constexpr int64_t kChannels = 3;
    const auto stream = DeviceUnderTest();
    NNSEG_ASSERT_OK(stream->Run([&] {
      SlabAccumulator host(grid, importance, kChannels, folds);
      DeviceAccumulator device(grid, importance, kChannels, folds, *stream);
      int64_t voxels = 0;
      for (int64_t tile = 0; tile < grid.tiles(); ++tile) {
        for (int64_t fold = 0; fold < folds; ++fold) {
          const auto logits = RandomVolume(kChannels, grid.patch_size(),
                                           static_cast<uint32_t>(tile * folds + fold));
          host.Add(tile, fold, logits.voxels());
          device.Add(tile, fold, TensorOf(logits));
        }
        const auto expected = host.TakeFinished();
        const Index3 begin = device.next_begin();
        const auto slab = device.TakeFinished();
        if (!expected.ok() || !slab.ok()) return absl::InternalError("no slab");
        const Shape3& shape = expected->logits.shape();
        EXPECT_EQ(slab->sizes(), at::IntArrayRef({kChannels, shape[0], shape[1], shape[2]}));
        if (!expected->logits.empty()) {
          EXPECT_EQ(begin, expected->begin);
        }
        std::vector<Half> halves(static_cast<std::size_t>(slab->numel()));
        stream->Download(*slab, std::as_writable_bytes(std::span(halves)));
        EXPECT_EQ(CountDifferent<Half>(halves, expected->logits.voxels()), 0) << "tile " << tile;
        voxels += shape.voxels();
      }
      EXPECT_EQ(voxels, grid.box().shape().voxels());
      return absl::OkStatus();
    }));
  }
};

INSTANTIATE_TEST_SUITE_P(
    Grids, DeviceAccumulatorOn,
    testing::Values(
        Geometry{"Several", {{21, 13, 18}}, {{8, 8, 8}}},
        Geometry{"OneTile", {{8, 8, 8}}, {{8, 8, 8}}},
        Geometry{"Padded", {{5, 13, 4}}, {{8, 8, 8}}},
        Geometry{"OddSteps", {{19, 20, 17}}, {{8, 6, 10}}, 3, 0.3},
        Geometry{"Slices", {{5, 13, 18}}, {{1, 8, 8}}, 2},
        Geometry{"Box", {{40, 33, 28}}, {{8, 8, 8}}, 3, 0.5, Box3{{{11, 9, 3}}, {{24, 20, 21}}}},
        Geometry{
            "BoxAtTheEdges", {{40, 5, 28}}, {{8, 8, 8}}, 3, 0.5, Box3{{{0, 0, 20}}, {{9, 5, 28}}}}),
    [](const auto& test) { return test.param.name; });

TEST_P(DeviceAccumulatorOn, SlabsHaveTheHostsBits) { ExpectTheHostsSlabs(1, true); }
TEST_P(DeviceAccumulatorOn, SlabsOfFoldsHaveTheHostsBits) { ExpectTheHostsSlabs(3, true); }
TEST_P(DeviceAccumulatorOn, SlabsOfEqualWeightsHaveTheHostsBits) { ExpectTheHostsSlabs(1, false); }

TEST(DeviceAccumulator, AnInfiniteLogitIsAnError) {
  NNSEG_SKIP_WITHOUT_DEVICE();
  const PatchGrid grid = *PatchGrid::Create({{6, 6, 6}}, {{6, 6, 6}}, 3, 0.5);
  const auto stream = DeviceUnderTest();
  EXPECT_THAT(stream->Run([&] {
    DeviceAccumulator device(grid, UniformImportance(grid.patch_size()), 2, 1, *stream);
    auto logits = RandomVolume(2, grid.patch_size(), 1);
    logits.at(1, {{2, 3, 4}}) = std::numeric_limits<float>::infinity();
    device.Add(0, 0, TensorOf(logits));
    return device.TakeFinished().status();
  }),
              StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("infinite")));
}

}  // namespace
}  // namespace nnseg
