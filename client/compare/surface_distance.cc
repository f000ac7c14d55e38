#include "client/compare/surface_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/geometry/box.h"

namespace nnseg {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

/// The smallest box that holds the label in both maps; empty when one lacks it.
Box3 BoxOf(const Volume<uint16_t>& a, const Volume<uint16_t>& b, uint16_t label) {
  const Shape3& shape = a.shape();
  Box3 box{{shape[0], shape[1], shape[2]}, {0, 0, 0}};
  bool in_a = false;
  bool in_b = false;
  auto at_a = a.voxels().begin();
  auto at_b = b.voxels().begin();
  Index3 i{};
  for (i[0] = 0; i[0] < shape[0]; ++i[0]) {
    for (i[1] = 0; i[1] < shape[1]; ++i[1]) {
      for (i[2] = 0; i[2] < shape[2]; ++i[2], ++at_a, ++at_b) {
        if (*at_a != label && *at_b != label) continue;
        in_a = in_a || *at_a == label;
        in_b = in_b || *at_b == label;
        for (int axis = 0; axis < 3; ++axis) {
          box.begin[axis] = std::min(box.begin[axis], i[axis]);
          box.end[axis] = std::max(box.end[axis], i[axis] + 1);
        }
      }
    }
  }
  return in_a && in_b ? box : Box3{};
}

/// Whether each voxel of the box is on the label's surface, C order.
std::vector<bool> SurfaceOf(const Volume<uint16_t>& map, uint16_t label, const Box3& box) {
  const Shape3& shape = map.shape();
  std::vector<bool> surface;
  surface.reserve(static_cast<std::size_t>(box.shape().voxels()));
  const auto differs = [&](Index3 i, int axis, int64_t step) {
    i[axis] += step;
    return i[axis] < 0 || i[axis] >= shape[axis] || map.at(0, i) != label;
  };
  Index3 i{};
  for (i[0] = box.begin[0]; i[0] < box.end[0]; ++i[0]) {
    for (i[1] = box.begin[1]; i[1] < box.end[1]; ++i[1]) {
      for (i[2] = box.begin[2]; i[2] < box.end[2]; ++i[2]) {
        bool found = false;
        for (int axis = 0; axis < 3 && map.at(0, i) == label && !found; ++axis) {
          found = differs(i, axis, -1) || differs(i, axis, 1);
        }
        surface.push_back(found);
      }
    }
  }
  return surface;
}

/// One line of the squared distance transform: out[i] = min over j of (step (i - j))^2 + in[j], by
/// the lower envelope of parabolas (Felzenszwalb and Huttenlocher, 2012). Holds its scratch space.
class LineTransform {
 public:
  explicit LineTransform(double step) : step2_(step * step) {}

  void Run(double* line, int64_t length, int64_t stride) {
    in_.resize(static_cast<std::size_t>(length));
    for (int64_t i = 0; i < length; ++i) in_[static_cast<std::size_t>(i)] = line[i * stride];
    vertices_.clear();
    begins_.clear();
    for (int64_t i = 0; i < length; ++i) {
      if (In(i) == kFar) continue;
      double begin = -kFar;
      while (!vertices_.empty()) {
        begin = Crossing(vertices_.back(), i);
        if (begin > begins_.back()) break;
        vertices_.pop_back();
        begins_.pop_back();
        begin = -kFar;
      }
      vertices_.push_back(i);
      begins_.push_back(begin);
    }
    if (vertices_.empty()) return;
    std::size_t k = 0;
    for (int64_t i = 0; i < length; ++i) {
      while (k + 1 < vertices_.size() && begins_[k + 1] < static_cast<double>(i)) ++k;
      const double distance = static_cast<double>(i - vertices_[k]);
      line[i * stride] = step2_ * distance * distance + In(vertices_[k]);
    }
  }

 private:
  double In(int64_t i) const { return in_[static_cast<std::size_t>(i)]; }
  /// Where the parabola of `j`, j > i, comes to lie below that of `i`.
  double Crossing(int64_t i, int64_t j) const {
    return 0.5 * static_cast<double>(i + j) +
           (In(j) - In(i)) / (2 * step2_ * static_cast<double>(j - i));
  }

  const double step2_;
  std::vector<double> in_;
  std::vector<int64_t> vertices_;
  std::vector<double> begins_;  ///< from where on each vertex' parabola is the lowest
};

/// Squared distance of every voxel to the nearest one that is set.
std::vector<double> SquaredDistances(const std::vector<bool>& set, const Shape3& shape,
                                     const Spacing3& spacing_mm) {
  std::vector<double> distances(set.size());
  std::transform(set.begin(), set.end(), distances.begin(), [](bool s) { return s ? 0 : kFar; });
  const Index3 strides = shape.strides();
  for (int axis = 0; axis < 3; ++axis) {
    LineTransform transform(spacing_mm[axis]);
    const int u = (axis + 1) % 3;
    const int v = (axis + 2) % 3;
    for (int64_t i = 0; i < shape[u]; ++i) {
      for (int64_t j = 0; j < shape[v]; ++j) {
        transform.Run(distances.data() + i * strides[u] + j * strides[v], shape[axis],
                      strides[axis]);
      }
    }
  }
  return distances;
}

/// Adds the distance of each voxel of `surface` to the nearest of `other`.
void AddDistances(const std::vector<bool>& surface, const std::vector<bool>& other,
                  const Shape3& shape, const Spacing3& spacing_mm, std::vector<double>& to) {
  const std::vector<double> squared = SquaredDistances(other, shape, spacing_mm);
  for (std::size_t i = 0; i < surface.size(); ++i) {
    if (surface[i]) to.push_back(std::sqrt(squared[i]));
  }
}

}  // namespace

std::vector<double> SurfaceDistances(const Volume<uint16_t>& a, const Volume<uint16_t>& b,
                                     uint16_t label, const Spacing3& spacing_mm) {
  NNSEG_CHECK(a.shape() == b.shape());
  const Box3 box = BoxOf(a, b, label);
  std::vector<double> distances;
  if (box.empty()) return distances;
  const std::vector<bool> surface_a = SurfaceOf(a, label, box);
  const std::vector<bool> surface_b = SurfaceOf(b, label, box);
  AddDistances(surface_a, surface_b, box.shape(), spacing_mm, distances);
  AddDistances(surface_b, surface_a, box.shape(), spacing_mm, distances);
  return distances;
}

double Quantile(std::vector<double> values, double fraction) {
  NNSEG_CHECK(!values.empty() && fraction >= 0 && fraction <= 1);
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace nnseg
