#include "client/io/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/io/canvas.h"
#include "client/io/palette.h"
#include "core/geometry/box.h"

namespace nnseg {
namespace {

// Layout, pixels.
constexpr double kMargin = 16;
constexpr double kGap = 8;
constexpr double kPanelSize = 300;  // the longest edge of all panels
constexpr double kTitleHeight = 36;
constexpr double kFooterHeight = 30;
constexpr double kLegendWidth = 300;
constexpr double kLegendLine = 24;
constexpr std::size_t kMaxLegendColumns = 3;
constexpr std::size_t kMaxNameCharacters = 20;

constexpr std::array<Plane, 3> kPlanes{Plane::kAxial, Plane::kCoronal, Plane::kSagittal};
constexpr const char* kFooter =
    "Seen as radiologists do: the patient's right is on the left.  Not for clinical use.";

double LengthMm(const SliceView::Axis& axis) {
  return static_cast<double>(axis.length) * axis.spacing_mm;
}

/// The planes in which the image has more than a line of voxels; all when there is none.
std::vector<Plane> PlanesOf(const Geometry& geometry) {
  std::vector<Plane> planes;
  for (const Plane plane : kPlanes) {
    const SliceView view = ViewOfPlane(geometry, plane);
    if (view.rows.length > 1 && view.columns.length > 1) planes.push_back(plane);
  }
  return planes.empty() ? std::vector<Plane>(kPlanes.begin(), kPlanes.end()) : planes;
}

/// Pixels per millimetre, the same in all panels.
double ScaleOf(const Geometry& geometry) {
  double longest = 0;
  for (const Plane plane : PlanesOf(geometry)) {
    const SliceView view = ViewOfPlane(geometry, plane);
    longest = std::max({longest, LengthMm(view.rows), LengthMm(view.columns)});
  }
  return kPanelSize / longest;
}

float ValueAt(const VoxelBuffer& voxels, int64_t i) {
  return VisitPixelType(voxels.pixel_type(), [&](auto zero) {
    using T = decltype(zero);
    T value;
    std::memcpy(&value, voxels.bytes().data() + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return static_cast<float>(value);
  });
}

/// The grey window: dark and bright end, without the outermost voxels.
struct Window {
  float low;
  float high;

  static Window Of(const VoxelBuffer& voxels) {
    constexpr int64_t kSamples = 200'000;
    const int64_t count = voxels.shape().voxels();
    std::vector<float> samples;
    for (int64_t i = 0; i < count; i += 1 + count / kSamples) {
      const float value = ValueAt(voxels, i);
      if (std::isfinite(value)) samples.push_back(value);
    }
    if (samples.empty()) return {0, 1};
    std::sort(samples.begin(), samples.end());
    const auto quantile = [&](double q) {
      return samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))];
    };
    return {quantile(0.005), quantile(0.995)};
  }

  uint32_t Grey(float value) const {
    if (!(value > low)) return 0;
    return static_cast<uint32_t>(std::lround(255 * std::min((value - low) / (high - low), 1.0F)));
  }
};

Surface GreySlice(const Image& image, const Window& window, const SliceView& view, int64_t slice) {
  const Index3 strides = image.voxels.shape().strides();
  return DrawSlice(view, slice, [&](int64_t, int64_t, const Index3& i) {
    const int64_t linear = i[0] * strides[0] + i[1] * strides[1] + i[2];
    return 0xFF000000U | window.Grey(ValueAt(image.voxels, linear)) * 0x010101U;
  });
}

/// The letters of the patient's sides at the four edges of a panel.
void DrawSides(cairo_t* cairo, Plane plane, const Panel& panel) {
  const char* const sides = plane == Plane::kAxial     ? "RLAP"
                            : plane == Plane::kCoronal ? "RLSI"
                                                       : "APSI";
  const double middle_x = panel.x + panel.width / 2;
  const double middle_y = panel.y + panel.height / 2 + 4;
  constexpr double kSize = 12;
  constexpr double kGrey = 0.95;
  Text(cairo, {sides[0]}, panel.x + 4, middle_y, kSize, kGrey);
  Text(cairo, {sides[1]}, panel.x + panel.width - 4, middle_y, kSize, kGrey, Align::kRight);
  Text(cairo, {sides[2]}, middle_x, panel.y + 14, kSize, kGrey, Align::kCentre);
  Text(cairo, {sides[3]}, middle_x, panel.y + panel.height - 5, kSize, kGrey, Align::kCentre);
}

/// The entries to draw, in order, at most `room`, the largest.
std::vector<LegendEntry> Largest(std::vector<LegendEntry> legend, std::size_t room) {
  if (legend.size() <= room) return legend;
  std::vector<double> volumes;
  volumes.reserve(legend.size());
  for (const LegendEntry& entry : legend) volumes.push_back(entry.volume_ml);
  std::nth_element(volumes.begin(), volumes.begin() + static_cast<int64_t>(room), volumes.end(),
                   std::greater<>());
  const double smallest = volumes[room];
  std::erase_if(legend, [&](const LegendEntry& e) { return e.volume_ml <= smallest; });
  return legend;
}

/// `text`, or its beginning and an ellipsis; never cuts a UTF-8 character.
std::string Shortened(const std::string& text) {
  if (text.size() <= kMaxNameCharacters) return text;
  std::size_t length = kMaxNameCharacters - 1;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  return text.substr(0, length) + "\u2026";
}

void DrawLegend(cairo_t* cairo, const std::vector<LegendEntry>& legend, std::size_t per_column,
                double left, double top) {
  const std::vector<LegendEntry> shown = Largest(legend, per_column * kMaxLegendColumns);
  for (std::size_t k = 0; k < shown.size(); ++k) {
    const std::size_t column = k / per_column;
    const double x = left + kLegendWidth * static_cast<double>(column);
    const double y = top + kLegendLine * static_cast<double>(k % per_column);
    const Colour colour = ColourOfLabel(shown[k].value);
    cairo_set_source_rgb(cairo, colour.red, colour.green, colour.blue);
    cairo_rectangle(cairo, x, y + 3, 14, 14);
    cairo_fill(cairo);
    Text(cairo, Shortened(shown[k].name), x + 24, y + 15, 14, 0.95);
    Text(cairo, absl::StrFormat("%.1f ml", shown[k].volume_ml), x + kLegendWidth - 24, y + 15, 14,
         0.7, Align::kRight);
  }
  if (shown.size() < legend.size()) {
    Text(cairo, absl::StrCat("and ", legend.size() - shown.size(), " smaller ones"), left,
         top + kLegendLine * static_cast<double>(per_column) + 15, 13, 0.7);
  }
}

}  // namespace

Panel PanelOf(const Geometry& geometry, Plane plane, int column) {
  const double scale = ScaleOf(geometry);
  Panel panel;
  panel.y = kMargin + kTitleHeight;
  double widest = 0;
  for (const Plane p : PlanesOf(geometry)) {
    const SliceView view = ViewOfPlane(geometry, p);
    const double height = std::max(1.0, std::round(LengthMm(view.rows) * scale));
    widest = std::max(widest, std::round(LengthMm(view.columns) * scale));
    if (p < plane) panel.y += height + kGap;
    if (p == plane) {
      panel.height = height;
      panel.width = std::max(1.0, std::round(LengthMm(view.columns) * scale));
    }
  }
  panel.x = kMargin + column * (widest + kGap) + std::floor((widest - panel.width) / 2);
  return panel;
}

absl::Status WriteOverlay(const Image& image, const LabelMap& labels,
                          const std::vector<LegendEntry>& legend, const std::string& title,
                          const std::string& path) {
  const std::vector<Plane> planes = PlanesOf(labels.geometry);
  const Panel last = PanelOf(labels.geometry, planes.back(), kOverlayColumns - 1);
  double right = 0;
  for (const Plane plane : planes) {
    const Panel panel = PanelOf(labels.geometry, plane, kOverlayColumns - 1);
    right = std::max(right, panel.x + panel.width);
  }
  const double bottom = last.y + last.height;
  const double top = kMargin + kTitleHeight;
  const auto per_column =
      static_cast<std::size_t>(std::max(8.0, std::floor((bottom - top) / kLegendLine) - 1));
  const std::size_t legend_columns =
      std::clamp<std::size_t>((legend.size() + per_column - 1) / per_column, 1, kMaxLegendColumns);
  const double legend_bottom =
      top + kLegendLine * static_cast<double>(std::min(legend.size(), per_column) + 1);
  const double height = std::max(bottom, legend_bottom) + kFooterHeight + kMargin;
  const double width = right + 2 * kMargin + kLegendWidth * static_cast<double>(legend_columns);

  const Surface picture =
      NewSurface(static_cast<int64_t>(std::ceil(width)), static_cast<int64_t>(std::ceil(height)));
  const Cairo cairo(cairo_create(picture.get()));
  cairo_set_source_rgb(cairo.get(), 0.07, 0.08, 0.09);
  cairo_paint(cairo.get());
  Text(cairo.get(), title, kMargin, kMargin + 20, 20, 1, Align::kLeft, true);
  Text(cairo.get(), kFooter, kMargin, height - kMargin, 13, 0.6);

  const Window window = Window::Of(image.voxels);
  for (const Plane plane : planes) {
    const SliceView view = ViewOfPlane(labels.geometry, plane);
    const int columns = static_cast<int>(std::min<int64_t>(kOverlayColumns, view.slices.length));
    const std::vector<int64_t> slices = ChooseSlices(labels.labels, view, columns);
    for (int column = 0; column < columns; ++column) {
      const Panel panel = PanelOf(labels.geometry, plane, column);
      Place(cairo.get(), GreySlice(image, window, view, slices[column]), panel, CAIRO_FILTER_GOOD);
      Place(cairo.get(), LabelSlice(labels.labels, view, slices[column]), panel,
            CAIRO_FILTER_NEAREST);
      DrawSides(cairo.get(), plane, panel);
    }
  }
  DrawLegend(cairo.get(), legend, per_column, right + 2 * kMargin, top);

  return WritePng(picture, path);
}

}  // namespace nnseg
