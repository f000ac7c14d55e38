#ifndef NNSEG_CLIENT_IO_OVERLAY_H_
#define NNSEG_CLIENT_IO_OVERLAY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/io/image.h"
#include "client/io/panel.h"
#include "client/io/slice_view.h"

namespace nnseg {

/// A line of the picture's legend.
struct LegendEntry {
  int value = 0;
  std::string name;
  double volume_ml = 0;
};

/// Most slices in each row of the picture; rows are axial, coronal and sagittal (slice_view.h), of
/// an image of one slice only that.
inline constexpr int kOverlayColumns = 4;

/// Where the slice number `column` of a plane lies in the picture.
Panel PanelOf(const Geometry& geometry, Plane plane, int column);

/// Draws a PNG montage: slices of the image's first channel in true proportion, chosen where labels
/// are, with the labels in colour (filled, with a strong outline) and a legend. A long legend is
/// cut after its largest labels. INVALID_ARGUMENT when the file cannot be written.
absl::Status WriteOverlay(const Image& image, const LabelMap& labels,
                          const std::vector<LegendEntry>& legend, const std::string& title,
                          const std::string& path);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_OVERLAY_H_
