#include "client/io/overlay.h"

#include <cairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

constexpr double kFillOpacity = 0.42;
constexpr double kOutlineOpacity = 0.95;
constexpr std::array<Plane, 3> kPlanes{Plane::kAxial, Plane::kCoronal, Plane::kSagittal};
constexpr const char* kFooter =
    "Seen as radiologists do: the patient's right is on the left.  Not for clinical use.";

struct Deleter {
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, Deleter>;
using Cairo = std::unique_ptr<cairo_t, Deleter>;

/// Pixels per millimetre, the same in all panels.
double ScaleOf(const Geometry& geometry) {
  double longest = 0;
  for (int axis = 0; axis < 3; ++axis) {
    longest =
        std::max(longest, static_cast<double>(geometry.size[axis]) * geometry.spacing_mm[axis]);
  }
  return kPanelSize / longest;
}

double LengthMm(const SliceView::Axis& axis) {
  return static_cast<double>(axis.length) * axis.spacing_mm;
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

Surface NewSurface(int64_t width, int64_t height) {
  return Surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, static_cast<int>(width),
                                            static_cast<int>(height)));
}

/// A picture with one pixel for each voxel of the slice; `pixel` gives premultiplied ARGB.
template <typename Pixel>
Surface DrawSlice(const SliceView& view, int64_t slice, Pixel&& pixel) {
  Surface surface = NewSurface(view.columns.length, view.rows.length);
  cairo_surface_flush(surface.get());
  unsigned char* const data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int64_t row = 0; row < view.rows.length; ++row) {
    auto* out = reinterpret_cast<uint32_t*>(data + row * stride);
    for (int64_t column = 0; column < view.columns.length; ++column) {
      out[column] = pixel(row, column, view.VoxelAt(slice, row, column));
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

Surface GreySlice(const Image& image, const Window& window, const SliceView& view, int64_t slice) {
  const Index3 strides = image.voxels.shape().strides();
  return DrawSlice(view, slice, [&](int64_t, int64_t, const Index3& i) {
    const int64_t linear = i[0] * strides[0] + i[1] * strides[1] + i[2];
    return 0xFF000000U | window.Grey(ValueAt(image.voxels, linear)) * 0x010101U;
  });
}

Surface LabelSlice(const Volume<uint16_t>& labels, const SliceView& view, int64_t slice) {
  const auto label_at = [&](int64_t row, int64_t column) {
    row = std::clamp<int64_t>(row, 0, view.rows.length - 1);
    column = std::clamp<int64_t>(column, 0, view.columns.length - 1);
    return labels.at(0, view.VoxelAt(slice, row, column));
  };
  return DrawSlice(view, slice, [&](int64_t row, int64_t column, const Index3& i) -> uint32_t {
    const uint16_t label = labels.at(0, i);
    if (label == 0) return 0;
    const bool edge = label_at(row - 1, column) != label || label_at(row + 1, column) != label ||
                      label_at(row, column - 1) != label || label_at(row, column + 1) != label;
    const double opacity = edge ? kOutlineOpacity : kFillOpacity;
    const Colour colour = ColourOfLabel(label);
    const auto component = [&](double c) {
      return static_cast<uint32_t>(std::lround(255 * opacity * c));
    };
    return component(1) << 24 | component(colour.red) << 16 | component(colour.green) << 8 |
           component(colour.blue);
  });
}

void Place(cairo_t* cairo, const Surface& picture, const OverlayPanel& panel,
           cairo_filter_t filter) {
  cairo_save(cairo);
  cairo_rectangle(cairo, panel.x, panel.y, panel.width, panel.height);
  cairo_clip(cairo);
  cairo_translate(cairo, panel.x, panel.y);
  cairo_scale(cairo, panel.width / cairo_image_surface_get_width(picture.get()),
              panel.height / cairo_image_surface_get_height(picture.get()));
  cairo_set_source_surface(cairo, picture.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cairo), filter);
  cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_PAD);
  cairo_paint(cairo);
  cairo_restore(cairo);
}

enum class Align { kLeft, kCentre, kRight };

void Text(cairo_t* cairo, const std::string& text, double x, double y, double size, double grey,
          Align align = Align::kLeft, bool bold = false) {
  cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo, size);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo, text.c_str(), &extents);
  const double shift = align == Align::kLeft ? 0 : align == Align::kCentre ? 0.5 : 1;
  const double left = x - shift * extents.x_advance;
  // A dark shadow keeps letters readable on bright bone.
  cairo_move_to(cairo, left + 1, y + 1);
  cairo_set_source_rgb(cairo, 0, 0, 0);
  cairo_show_text(cairo, text.c_str());
  cairo_move_to(cairo, left, y);
  cairo_set_source_rgb(cairo, grey, grey, grey);
  cairo_show_text(cairo, text.c_str());
}

/// The letters of the patient's sides at the four edges of a panel.
void DrawSides(cairo_t* cairo, Plane plane, const OverlayPanel& panel) {
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

OverlayPanel PanelOf(const Geometry& geometry, Plane plane, int column) {
  const double scale = ScaleOf(geometry);
  OverlayPanel panel;
  panel.y = kMargin + kTitleHeight;
  double widest = 0;
  for (const Plane p : kPlanes) {
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
  const OverlayPanel last = PanelOf(labels.geometry, kPlanes.back(), kOverlayColumns - 1);
  double right = 0;
  for (const Plane plane : kPlanes) {
    const OverlayPanel panel = PanelOf(labels.geometry, plane, kOverlayColumns - 1);
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
  for (const Plane plane : kPlanes) {
    const SliceView view = ViewOfPlane(labels.geometry, plane);
    const std::vector<int64_t> slices = ChooseSlices(labels.labels, view, kOverlayColumns);
    for (int column = 0; column < kOverlayColumns; ++column) {
      const OverlayPanel panel = PanelOf(labels.geometry, plane, column);
      Place(cairo.get(), GreySlice(image, window, view, slices[column]), panel, CAIRO_FILTER_GOOD);
      Place(cairo.get(), LabelSlice(labels.labels, view, slices[column]), panel,
            CAIRO_FILTER_NEAREST);
      DrawSides(cairo.get(), plane, panel);
    }
  }
  DrawLegend(cairo.get(), legend, per_column, right + 2 * kMargin, top);

  const cairo_status_t status = cairo_surface_write_to_png(picture.get(), path.c_str());
  if (status != CAIRO_STATUS_SUCCESS) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": picture cannot be written: ", cairo_status_to_string(status)));
  }
  return absl::OkStatus();
}

}  // namespace nnseg
