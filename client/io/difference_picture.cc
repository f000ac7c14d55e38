#include "client/io/difference_picture.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/io/canvas.h"

namespace nnseg {
namespace {

constexpr double kMargin = 16;
constexpr double kTitleHeight = 28;
constexpr double kPanelSize = 480;  // the longer edge, pixels

/// The plane whose slices are fewest: the one in which the maps are finest, as a rule.
SliceView FinestView(const Geometry& geometry) {
  SliceView best = ViewOfPlane(geometry, Plane::kAxial);
  for (const Plane plane : {Plane::kCoronal, Plane::kSagittal}) {
    const SliceView view = ViewOfPlane(geometry, plane);
    if (view.slices.length < best.slices.length) best = view;
  }
  return best;
}

int64_t CountDiffering(const LabelMap& a, const LabelMap& b, const SliceView& view, int64_t slice) {
  int64_t count = 0;
  for (int64_t row = 0; row < view.rows.length; ++row) {
    for (int64_t column = 0; column < view.columns.length; ++column) {
      const Index3 i = view.VoxelAt(slice, row, column);
      if (a.labels.at(0, i) != b.labels.at(0, i)) ++count;
    }
  }
  return count;
}

Surface DifferenceSlice(const LabelMap& a, const LabelMap& b, const SliceView& view,
                        int64_t slice) {
  constexpr uint32_t kDiffers = 0xFFFF3B30;
  constexpr uint32_t kSame = 0xFF5A5F66;
  return DrawSlice(view, slice, [&](int64_t, int64_t, const Index3& i) -> uint32_t {
    if (a.labels.at(0, i) != b.labels.at(0, i)) return kDiffers;
    return a.labels.at(0, i) != 0 ? kSame : 0;
  });
}

}  // namespace

absl::Status WriteDifference(const LabelMap& a, const LabelMap& b, const std::string& path) {
  const SliceView view = FinestView(a.geometry);
  int64_t worst = 0;
  int64_t most = -1;
  for (int64_t slice = 0; slice < view.slices.length; ++slice) {
    const int64_t count = CountDiffering(a, b, view, slice);
    if (count > most) {
      most = count;
      worst = slice;
    }
  }
  const double width_mm = static_cast<double>(view.columns.length) * view.columns.spacing_mm;
  const double height_mm = static_cast<double>(view.rows.length) * view.rows.spacing_mm;
  const double scale = kPanelSize / std::max(width_mm, height_mm);
  const double width = std::max(1.0, std::round(width_mm * scale));
  const double height = std::max(1.0, std::round(height_mm * scale));

  const Surface picture = NewSurface(static_cast<int64_t>(3 * width + 4 * kMargin),
                                     static_cast<int64_t>(height + kTitleHeight + 2 * kMargin));
  const Cairo cairo(cairo_create(picture.get()));
  cairo_set_source_rgb(cairo.get(), 0.07, 0.08, 0.09);
  cairo_paint(cairo.get());
  const auto panel = [&](int column, const std::string& title, const Surface& drawn) {
    const double x = kMargin + column * (width + kMargin);
    Text(cairo.get(), title, x, kMargin + 16, 15, 0.95, Align::kLeft, true);
    Place(cairo.get(), drawn, {x, kMargin + kTitleHeight, width, height}, CAIRO_FILTER_NEAREST);
  };
  panel(0, absl::StrCat("A, slice ", worst), LabelSlice(a.labels, view, worst));
  panel(1, "B", LabelSlice(b.labels, view, worst));
  panel(2, absl::StrCat(most, " voxels differ"), DifferenceSlice(a, b, view, worst));
  return WritePng(picture, path);
}

}  // namespace nnseg
