#ifndef NNSEG_CLIENT_IO_CANVAS_H_
#define NNSEG_CLIENT_IO_CANVAS_H_

#include <cairo.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/io/panel.h"
#include "client/io/slice_view.h"

namespace nnseg {

/// What the pictures of slices share: drawing by cairo. Included by sources only.

struct Deleter {
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, Deleter>;
using Cairo = std::unique_ptr<cairo_t, Deleter>;

/// An empty picture, pixels.
Surface NewSurface(int64_t width, int64_t height);

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

/// The labels of a slice in colour, filled and outlined; background is transparent.
Surface LabelSlice(const Volume<uint16_t>& labels, const SliceView& view, int64_t slice);

/// Draws `picture` into a panel, scaled to fill it.
void Place(cairo_t* cairo, const Surface& picture, const Panel& panel, cairo_filter_t filter);

enum class Align { kLeft, kCentre, kRight };

/// Writes with the base line at `y`; `grey` is 0 to 1.
void Text(cairo_t* cairo, const std::string& text, double x, double y, double size, double grey,
          Align align = Align::kLeft, bool bold = false);

/// INVALID_ARGUMENT when the file cannot be written.
absl::Status WritePng(const Surface& picture, const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_CANVAS_H_
