#include "client/io/channel_stack.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// numpy.allclose with its default tolerances.
template <std::size_t n>
bool AllClose(const std::array<double, n>& expected, const std::array<double, n>& got) {
  return std::equal(expected.begin(), expected.end(), got.begin(), [](double a, double b) {
    return std::abs(a - b) <= 1e-8 + 1e-5 * std::abs(b);
  });
}

absl::Status CheckSameGrid(const Geometry& first, const Geometry& other, const std::string& path,
                           std::vector<std::string>& warnings) {
  if (other.size != first.size || !AllClose(other.spacing_mm, first.spacing_mm)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", absl::StrJoin(other.size, "x"), " voxels of ",
        absl::StrJoin(other.spacing_mm, "x"), " mm, expected ", absl::StrJoin(first.size, "x"),
        " of ", absl::StrJoin(first.spacing_mm, "x"), " mm as in the first file"));
  }
  if (!AllClose(other.origin_mm, first.origin_mm) || !AllClose(other.direction, first.direction)) {
    warnings.push_back(absl::StrCat(path, ": origin or direction differs from the first file's"));
  }
  return absl::OkStatus();
}

absl::StatusOr<VoxelBuffer> Stack(const std::vector<VoxelBuffer>& parts) {
  int64_t channels = 0;
  for (const VoxelBuffer& part : parts) channels += part.channels();
  const bool same_type = std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
    return part.pixel_type() == parts[0].pixel_type();
  });
  NNSEG_ASSIGN_OR_RETURN(VoxelBuffer stack, VoxelBuffer::Allocate(same_type ? parts[0].pixel_type()
                                                                            : PixelType::kFloat32,
                                                                  channels, parts[0].shape()));
  std::byte* out = stack.bytes().data();
  for (const VoxelBuffer& part : parts) {
    if (same_type) {
      out = std::copy(part.bytes().begin(), part.bytes().end(), out);
    } else {
      const Volume<float> converted = part.ToFloat();
      const auto bytes = std::as_bytes(converted.voxels());
      out = std::copy(bytes.begin(), bytes.end(), out);
    }
  }
  return stack;
}

}  // namespace

absl::StatusOr<Image> ReadAndStack(
    const std::vector<std::string>& paths,
    const std::function<absl::StatusOr<Image>(const std::string&)>& read) {
  NNSEG_CHECK(!paths.empty());
  NNSEG_ASSIGN_OR_RETURN(Image image, read(paths[0]));
  if (paths.size() == 1) return image;
  std::vector<VoxelBuffer> parts;
  parts.push_back(std::move(image.voxels));
  for (std::size_t i = 1; i < paths.size(); ++i) {
    NNSEG_ASSIGN_OR_RETURN(Image next, read(paths[i]));
    NNSEG_RETURN_IF_ERROR(CheckSameGrid(image.geometry, next.geometry, paths[i], image.warnings));
    image.warnings.insert(image.warnings.end(), next.warnings.begin(), next.warnings.end());
    parts.push_back(std::move(next.voxels));
  }
  NNSEG_ASSIGN_OR_RETURN(image.voxels, Stack(parts));
  return image;
}

}  // namespace nnseg
