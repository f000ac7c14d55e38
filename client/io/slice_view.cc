#include "client/io/slice_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/base/check.h"

namespace nnseg {
namespace {

/// A direction in the LPS world: 0 towards the patient's left, 1 posterior, 2 superior, or, when
/// negative, the opposite.
struct WorldAxis {
  int axis;
  bool negative;
};

constexpr WorldAxis kLeft{0, false};
constexpr WorldAxis kPosterior{1, false};
constexpr WorldAxis kInferior{2, true};

/// For each world axis the image axis (x, y, z) nearest to it, each image axis once.
std::array<int, 3> NearestImageAxes(const std::array<double, 9>& direction) {
  std::array<int, 3> candidate{0, 1, 2};
  std::array<int, 3> best = candidate;
  double best_score = -1;
  do {
    double score = 0;
    for (int world = 0; world < 3; ++world) {
      score += std::abs(direction[3 * world + candidate[world]]);
    }
    if (score > best_score + 1e-9) {
      best_score = score;
      best = candidate;
    }
  } while (std::next_permutation(candidate.begin(), candidate.end()));
  return best;
}

SliceView::Axis AxisAlong(const Geometry& geometry, const WorldAxis& world) {
  const int image_axis = NearestImageAxes(geometry.direction)[world.axis];
  const bool runs_negative = geometry.direction[3 * world.axis + image_axis] < 0;
  return {2 - image_axis, runs_negative != world.negative, geometry.size[image_axis],
          geometry.spacing_mm[image_axis]};
}

}  // namespace

Index3 SliceView::VoxelAt(int64_t slice, int64_t row, int64_t column) const {
  Index3 index{};
  const auto place = [&index](const Axis& axis, int64_t position) {
    index[axis.array_axis] = axis.reversed ? axis.length - 1 - position : position;
  };
  place(slices, slice);
  place(rows, row);
  place(columns, column);
  return index;
}

SliceView ViewOfPlane(const Geometry& geometry, Plane plane) {
  const auto axis = [&](const WorldAxis& world) { return AxisAlong(geometry, world); };
  switch (plane) {
    case Plane::kAxial:
      return {axis(kLeft), axis(kPosterior), axis(kInferior)};
    case Plane::kCoronal:
      return {axis(kLeft), axis(kInferior), axis(kPosterior)};
    case Plane::kSagittal:
      break;
  }
  return {axis(kPosterior), axis(kInferior), axis(kLeft)};
}

std::vector<int64_t> ChooseSlices(const Volume<uint16_t>& labels, const SliceView& view,
                                  int count) {
  NNSEG_CHECK(count > 0);
  const int64_t depth = view.slices.length;
  const int axis = view.slices.array_axis;
  std::vector<int64_t> labelled(static_cast<std::size_t>(depth), 0);
  const Shape3& shape = labels.shape();
  auto voxel = labels.voxels().begin();
  Index3 i{};
  for (i[0] = 0; i[0] < shape[0]; ++i[0]) {
    for (i[1] = 0; i[1] < shape[1]; ++i[1]) {
      for (i[2] = 0; i[2] < shape[2]; ++i[2]) labelled[i[axis]] += *voxel++ != 0 ? 1 : 0;
    }
  }
  if (view.slices.reversed) std::reverse(labelled.begin(), labelled.end());
  if (std::all_of(labelled.begin(), labelled.end(), [](int64_t n) { return n == 0; })) {
    std::fill(labelled.begin(), labelled.end(), 1);
  }
  std::partial_sum(labelled.begin(), labelled.end(), labelled.begin());
  std::vector<int64_t> chosen;
  for (int k = 0; k < count; ++k) {
    // The slice that holds the middle voxel of the k-th of `count` parts.
    const int64_t voxels_before = labelled.back() * (2 * k + 1) / (2 * count);
    chosen.push_back(std::upper_bound(labelled.begin(), labelled.end(), voxels_before) -
                     labelled.begin());
  }
  return chosen;
}

}  // namespace nnseg
