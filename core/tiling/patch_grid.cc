#include "core/tiling/patch_grid.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace nnseg {
namespace {

std::vector<int64_t> TileStarts(int64_t size, int64_t patch, double step) {
  const double target = static_cast<double>(patch) * step;
  const auto room = static_cast<double>(size - patch);
  const auto count = static_cast<int64_t>(std::ceil(room / target)) + 1;
  std::vector<int64_t> starts(count, 0);
  for (int64_t i = 1; i < count; ++i) {
    // The rounding mode is to nearest, halves to even.
    starts[i] = static_cast<int64_t>(
        std::nearbyint(room / static_cast<double>(count - 1) * static_cast<double>(i)));
  }
  return starts;
}

std::vector<int64_t> EverySlice(int64_t slices) {
  std::vector<int64_t> starts(static_cast<std::size_t>(slices));
  std::iota(starts.begin(), starts.end(), 0);
  return starts;
}

}  // namespace

absl::StatusOr<PatchGrid> PatchGrid::Create(const Shape3& image_shape, const Shape3& patch_size,
                                            int patch_dimensions, double step) {
  if (!(step > 0 && step <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tile step size is ", step, " patches, expected more than 0 and at most 1"));
  }
  for (const Shape3* shape : {&image_shape, &patch_size}) {
    if ((*shape)[0] < 1 || (*shape)[1] < 1 || (*shape)[2] < 1) {
      return absl::InvalidArgumentError(absl::StrCat("image is ", ToString(image_shape),
                                                     " and patch ", ToString(patch_size),
                                                     ", expected sizes of at least 1"));
    }
  }
  if (patch_dimensions != 3 && (patch_dimensions != 2 || patch_size[0] != 1)) {
    return absl::InvalidArgumentError(absl::StrCat("patch of ", patch_dimensions, " dimensions is ",
                                                   ToString(patch_size),
                                                   ", expected 3 of them, or 2 and one slice"));
  }
  PatchGrid grid;
  grid.image_shape_ = image_shape;
  grid.patch_size_ = patch_size;
  grid.box_ = Box3::Whole(image_shape);
  for (int axis = 0; axis < 3; ++axis) {
    grid.padded_shape_[axis] = std::max(image_shape[axis], patch_size[axis]);
    grid.padding_before_[axis] = (grid.padded_shape_[axis] - image_shape[axis]) / 2;
    grid.starts_[axis] = TileStarts(grid.padded_shape_[axis], patch_size[axis], step);
  }
  if (patch_dimensions == 2) grid.starts_[0] = EverySlice(image_shape[0]);
  return grid;
}

PatchGrid PatchGrid::Within(const Box3& box) const {
  NNSEG_CHECK(!box.empty() && Intersection(box, Box3::Whole(image_shape_)) == box);
  PatchGrid part = *this;
  part.box_ = box;
  for (int axis = 0; axis < 3; ++axis) {
    const int64_t begin = box.begin[axis] + padding_before_[axis];
    const int64_t end = box.end[axis] + padding_before_[axis];
    std::erase_if(part.starts_[axis], [&](int64_t start) {
      return start + patch_size_[axis] <= begin || start >= end;
    });
  }
  return part;
}

Box3 PatchGrid::window() const {
  Box3 window;
  for (int axis = 0; axis < 3; ++axis) {
    window.begin[axis] = starts_[axis].front();
    window.end[axis] = starts_[axis].back() + patch_size_[axis];
  }
  return window;
}

Index3 PatchGrid::tile(int64_t i) const {
  const auto inner = static_cast<int64_t>(starts_[2].size());
  const auto middle = static_cast<int64_t>(starts_[1].size());
  return {
      {starts_[0][i / (middle * inner)], starts_[1][i / inner % middle], starts_[2][i % inner]}};
}

void PatchGrid::CopyTile(const Volume<float>& image, const Index3& start,
                         std::span<float> patch) const {
  NNSEG_CHECK(image.shape() == image_shape_);
  NNSEG_CHECK(static_cast<int64_t>(patch.size()) == image.channels() * patch_size_.voxels());
  // The image's part of the tile, in the tile's coordinates.
  const Index3 offset = padding_before_ - start;
  Index3 begin;
  Index3 end;
  for (int axis = 0; axis < 3; ++axis) {
    begin[axis] = std::clamp<int64_t>(offset[axis], 0, patch_size_[axis]);
    end[axis] = std::clamp<int64_t>(offset[axis] + image_shape_[axis], 0, patch_size_[axis]);
  }
  const bool padded = Index3{} != begin || !std::equal(end.begin(), end.end(), patch_size_.begin());
  if (padded) std::fill(patch.begin(), patch.end(), 0.0F);
  const int64_t length = end[2] - begin[2];
  for (int64_t c = 0; c < image.channels(); ++c) {
    for (int64_t i0 = begin[0]; i0 < end[0]; ++i0) {
      for (int64_t i1 = begin[1]; i1 < end[1]; ++i1) {
        float* const to = patch.data() +
                          ((c * patch_size_[0] + i0) * patch_size_[1] + i1) * patch_size_[2] +
                          begin[2];
        std::memcpy(to, &image.at(c, Index3{{i0, i1, begin[2]}} - offset),
                    static_cast<std::size_t>(length) * sizeof(float));
      }
    }
  }
}

}  // namespace nnseg
