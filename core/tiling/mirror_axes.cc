#include "core/tiling/mirror_axes.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

// The row that row `row` (of channels x axis 0 x axis 1) is mirrored onto.
int64_t MirroredRow(const Mirror& mirror, const Shape3& patch, int64_t row) {
  const int64_t i1 = row % patch[1];
  const int64_t i0 = row / patch[1] % patch[0];
  const int64_t channel = row / (patch[1] * patch[0]);
  const int64_t j0 = mirror[0] ? patch[0] - 1 - i0 : i0;
  const int64_t j1 = mirror[1] ? patch[1] - 1 - i1 : i1;
  return (channel * patch[0] + j0) * patch[1] + j1;
}

}  // namespace

absl::StatusOr<std::vector<Mirror>> MirrorsOf(std::span<const int> axes) {
  Mirror seen{};
  for (const int axis : axes) {
    if (axis < 0 || axis > 2 || seen[axis]) {
      return absl::InvalidArgumentError(absl::StrCat(
          "mirroring axes are [", absl::StrJoin(axes, ", "), "], expected distinct axes 0 to 2"));
    }
    seen[axis] = true;
  }
  const int count = static_cast<int>(axes.size());
  std::vector<Mirror> mirrors;
  for (int size = 0; size <= count; ++size) {
    // prev_permutation of a selection walks the subsets in lexicographic order of positions.
    std::vector<bool> selected(count, false);
    std::fill_n(selected.begin(), size, true);
    do {
      Mirror mirror{};
      for (int i = 0; i < count; ++i) {
        if (selected[i]) mirror[axes[i]] = true;
      }
      mirrors.push_back(mirror);
    } while (std::prev_permutation(selected.begin(), selected.end()));
  }
  return mirrors;
}

void MirrorPatch(const Mirror& mirror, const Shape3& patch_size, std::span<float> patch) {
  const int64_t length = patch_size[2];
  const auto rows = static_cast<int64_t>(patch.size()) / length;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t other = MirroredRow(mirror, patch_size, row);
    if (other < row) continue;  // done from the other side
    float* const a = patch.data() + row * length;
    float* const b = patch.data() + other * length;
    if (other != row) std::swap_ranges(a, a + length, b);
    if (mirror[2]) {
      std::reverse(a, a + length);
      if (other != row) std::reverse(b, b + length);
    }
  }
}

void AddMirrored(const Mirror& mirror, const Shape3& patch_size, std::span<const float> patch,
                 std::span<float> sum) {
  NNSEG_CHECK(patch.size() == sum.size());
  const int64_t length = patch_size[2];
  const auto rows = static_cast<int64_t>(patch.size()) / length;
  ParallelFor(rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* const from = patch.data() + MirroredRow(mirror, patch_size, row) * length;
      float* const to = sum.data() + row * length;
      if (mirror[2]) {
        for (int64_t i = 0; i < length; ++i) to[i] += from[length - 1 - i];
      } else {
        for (int64_t i = 0; i < length; ++i) to[i] += from[i];
      }
    }
  });
}

}  // namespace nnseg
