#include "core/preprocess/crop_to_nonzero.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

// A float image of zeros to paint on.
class Canvas {
 public:
  Canvas(int64_t channels, const Shape3& shape)
      : volume_(Volume<float>::Filled(channels, shape, 0)) {}

  Canvas& Paint(int64_t channel, const Box3& box, float value) {
    for (int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      for (int64_t y = box.begin[1]; y < box.end[1]; ++y) {
        for (int64_t x = box.begin[2]; x < box.end[2]; ++x) {
          volume_.at(channel, {{z, y, x}}) = value;
        }
      }
    }
    return *this;
  }

  VoxelBuffer Buffer() const {
    auto buffer =
        VoxelBuffer::Allocate(PixelType::kFloat32, volume_.channels(), volume_.shape()).value();
    std::memcpy(buffer.bytes().data(), volume_.voxels().data(), buffer.bytes().size());
    return buffer;
  }

 private:
  Volume<float> volume_;
};

int64_t CountInside(const VoxelBuffer& voxels) {
  const Volume<uint8_t> mask = FilledNonzeroMask(voxels, NonzeroBox(voxels));
  return std::count(mask.voxels().begin(), mask.voxels().end(), 1);
}

TEST(NonzeroBox, HoldsTheNonzeroVoxelsOfAllChannels) {
  const VoxelBuffer voxels = Canvas(2, {{4, 5, 6}})
                                 .Paint(0, {{{1, 1, 2}}, {{3, 4, 3}}}, 1)
                                 .Paint(1, {{{2, 1, 4}}, {{3, 2, 5}}}, -1)
                                 .Buffer();
  EXPECT_EQ(NonzeroBox(voxels), (Box3{{{1, 1, 2}}, {{3, 4, 5}}}));
  EXPECT_EQ(CountInside(voxels), 7);
}

TEST(NonzeroBox, IsTheWholeVolumeWhenAllVoxelsAreZero) {
  const VoxelBuffer voxels = Canvas(1, {{2, 3, 4}}).Buffer();
  EXPECT_EQ(NonzeroBox(voxels), Box3::Whole({{2, 3, 4}}));
  EXPECT_EQ(CountInside(voxels), 0);
}

TEST(NonzeroBox, TakesNegativeZeroAsZero) {
  const VoxelBuffer voxels = Canvas(1, {{1, 1, 3}})
                                 .Paint(0, Box3::Whole({{1, 1, 3}}), -0.0F)
                                 .Paint(0, {{{0, 0, 1}}, {{1, 1, 2}}}, 5)
                                 .Buffer();
  EXPECT_EQ(NonzeroBox(voxels), (Box3{{{0, 0, 1}}, {{1, 1, 2}}}));
}

TEST(NonzeroBox, TakesWhatRoundsToZeroAsAFloatAsZero) {
  auto voxels = VoxelBuffer::Allocate(PixelType::kFloat64, 1, {{1, 1, 2}}).value();
  const double values[2] = {1e-60, 1e-40};
  std::memcpy(voxels.bytes().data(), values, sizeof values);
  EXPECT_EQ(NonzeroBox(voxels), (Box3{{{0, 0, 1}}, {{1, 1, 2}}}));
}

Canvas Cube() {
  Canvas canvas(1, {{7, 7, 7}});
  canvas.Paint(0, {{{1, 1, 1}}, {{6, 6, 6}}}, 1);
  return canvas;
}

TEST(FilledNonzeroMask, FillsAnEnclosedHole) {
  EXPECT_EQ(CountInside(Cube().Paint(0, {{{2, 2, 2}}, {{5, 5, 5}}}, 0).Buffer()), 125);
}

TEST(FilledNonzeroMask, LeavesAHoleThatIsOpenToTheOutside) {
  EXPECT_EQ(CountInside(Cube()
                            .Paint(0, {{{2, 2, 2}}, {{5, 5, 5}}}, 0)
                            .Paint(0, {{{3, 3, 5}}, {{4, 4, 6}}}, 0)
                            .Buffer()),
            125 - 27 - 1);
}

TEST(FilledNonzeroMask, FillsAHoleThatIsReachedOnlyDiagonally) {
  EXPECT_EQ(CountInside(Cube()
                            .Paint(0, {{{2, 2, 2}}, {{3, 3, 3}}}, 0)
                            .Paint(0, {{{1, 1, 2}}, {{2, 2, 3}}}, 0)
                            .Buffer()),
            124);
}

TEST(FilledNonzeroMask, FillsNothingInASingleSlice) {
  EXPECT_EQ(CountInside(Canvas(1, {{1, 5, 5}})
                            .Paint(0, Box3::Whole({{1, 5, 5}}), 1)
                            .Paint(0, {{{0, 2, 2}}, {{1, 3, 3}}}, 0)
                            .Buffer()),
            24);
}

TEST(FilledNonzeroMask, FollowsAWindingCorridor) {
  // Walls across the volume with a gap at alternating ends: all corridors are outside.
  Canvas canvas(1, {{5, 9, 9}});
  canvas.Paint(0, Box3::Whole({{5, 9, 9}}), 1).Paint(0, {{{1, 1, 1}}, {{4, 8, 8}}}, 0);
  canvas.Paint(0, {{{1, 2, 1}}, {{4, 3, 7}}}, 1).Paint(0, {{{1, 4, 2}}, {{4, 5, 8}}}, 1);
  const int64_t closed = CountInside(canvas.Buffer());
  EXPECT_EQ(closed, 5 * 9 * 9);
  canvas.Paint(0, {{{2, 7, 8}}, {{3, 8, 9}}}, 0);
  EXPECT_EQ(CountInside(canvas.Buffer()), 5 * 9 * 9 - 3 * 7 * 7 + 2 * 3 * 6 - 1);
}

}  // namespace
}  // namespace nnseg
