#include "client/io/canvas.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/io/palette.h"

namespace nnseg {
namespace {

constexpr double kFillOpacity = 0.42;
constexpr double kOutlineOpacity = 0.95;

}  // namespace

Surface NewSurface(int64_t width, int64_t height) {
  return Surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, static_cast<int>(width),
                                            static_cast<int>(height)));
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

void Place(cairo_t* cairo, const Surface& picture, const Panel& panel, cairo_filter_t filter) {
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

void Text(cairo_t* cairo, const std::string& text, double x, double y, double size, double grey,
          Align align, bool bold) {
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

absl::Status WritePng(const Surface& picture, const std::string& path) {
  const cairo_status_t status = cairo_surface_write_to_png(picture.get(), path.c_str());
  if (status == CAIRO_STATUS_SUCCESS) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": picture cannot be written: ", cairo_status_to_string(status)));
}

}  // namespace nnseg
