#include "client/io/nifti_file.h"

#include <nifti1_io.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/io/completeness.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

using NiftiImage = std::unique_ptr<nifti_image, decltype(&nifti_image_free)>;

/// The affine of the header's quaternion, in float64.
NiftiAffine QformOf(const nifti_image& header) {
  const double x = header.quatern_b;
  const double y = header.quatern_c;
  const double z = header.quatern_d;
  const double w2 = 1 - (x * x + y * y + z * z);
  const double w = w2 < 3 * std::numeric_limits<float>::epsilon() ? 0 : std::sqrt(w2);
  const double s = 2 / (w * w + x * x + y * y + z * z);
  const std::array<double, 9> rotation{
      1 - s * (y * y + z * z), s * (x * y - w * z),     s * (x * z + w * y),
      s * (x * y + w * z),     1 - s * (x * x + z * z), s * (y * z - w * x),
      s * (x * z - w * y),     s * (y * z + w * x),     1 - s * (x * x + y * y)};
  const std::array<double, 3> zooms{header.dx, header.dy, header.dz * header.qfac};
  const std::array<double, 3> offset{header.qoffset_x, header.qoffset_y, header.qoffset_z};
  NiftiAffine affine;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      affine[4 * row + column] = rotation[3 * row + column] * zooms[column];
    }
    affine[4 * row + 3] = offset[row];
  }
  return affine;
}

NiftiAffine AffineOf(const nifti_image& header, const NiftiFile& file) {
  NiftiAffine affine{};
  if (header.sform_code > 0) {
    for (int i = 0; i < 12; ++i) affine[i] = header.sto_xyz.m[i / 4][i % 4];
    return affine;
  }
  if (header.qform_code > 0) return QformOf(header);
  for (int axis = 0; axis < 3; ++axis) {
    const double zoom = (axis == 0 ? -1 : 1) * file.spacing_mm[axis];
    affine[5 * axis] = zoom;
    affine[4 * axis + 3] = -0.5 * static_cast<double>(file.size[axis] - 1) * zoom;
  }
  return affine;
}

double DeterminantOf(const NiftiAffine& a) {
  return a[0] * (a[5] * a[10] - a[6] * a[9]) - a[1] * (a[4] * a[10] - a[6] * a[8]) +
         a[2] * (a[4] * a[9] - a[5] * a[8]);
}

std::optional<PixelType> PixelTypeOf(int datatype) {
  switch (datatype) {
    case NIFTI_TYPE_UINT8:
      return PixelType::kUint8;
    case NIFTI_TYPE_INT8:
      return PixelType::kInt8;
    case NIFTI_TYPE_INT16:
      return PixelType::kInt16;
    case NIFTI_TYPE_UINT16:
      return PixelType::kUint16;
    case NIFTI_TYPE_INT32:
      return PixelType::kInt32;
    case NIFTI_TYPE_UINT32:
      return PixelType::kUint32;
    case NIFTI_TYPE_FLOAT32:
      return PixelType::kFloat32;
    case NIFTI_TYPE_FLOAT64:
      return PixelType::kFloat64;
    default:
      return std::nullopt;
  }
}

template <typename T>
void Scale(const void* from, double slope, double intercept, std::span<std::byte> to) {
  const auto* values = static_cast<const T*>(from);
  auto* out = reinterpret_cast<float*>(to.data());
  for (std::size_t i = 0; i < to.size() / sizeof(float); ++i) {
    double value = static_cast<double>(values[i]);
    if (slope != 1) value *= slope;
    if (intercept != 0) value += intercept;
    out[i] = static_cast<float>(value);
  }
}

/// The values of `image`, which holds its data.
absl::StatusOr<VoxelBuffer> VoxelsOf(const nifti_image& image, const std::string& path) {
  const Shape3 shape{{image.nz, image.ny, image.nx}};
  const bool scaled = image.scl_slope != 0 && std::isfinite(image.scl_slope);
  const double slope = scaled ? image.scl_slope : 1;
  const double intercept = scaled ? image.scl_inter : 0;
  if (!std::isfinite(intercept)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": scl_inter is not finite"));
  }
  const std::optional<PixelType> type = PixelTypeOf(image.datatype);
  if (type.has_value() && slope == 1 && intercept == 0) {
    NNSEG_ASSIGN_OR_RETURN(VoxelBuffer voxels, VoxelBuffer::Allocate(*type, 1, shape));
    std::memcpy(voxels.bytes().data(), image.data, voxels.bytes().size());
    return voxels;
  }
  NNSEG_ASSIGN_OR_RETURN(VoxelBuffer voxels, VoxelBuffer::Allocate(PixelType::kFloat32, 1, shape));
  if (type.has_value()) {
    VisitPixelType(*type, [&](auto zero) {
      Scale<decltype(zero)>(image.data, slope, intercept, voxels.bytes());
    });
  } else if (image.datatype == NIFTI_TYPE_INT64) {
    Scale<int64_t>(image.data, slope, intercept, voxels.bytes());
  } else if (image.datatype == NIFTI_TYPE_UINT64) {
    Scale<uint64_t>(image.data, slope, intercept, voxels.bytes());
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": values of NIfTI type ", image.datatype,
                     ", expected integers or real numbers of at most 64 bits"));
  }
  return voxels;
}

nifti_1_header HeaderFor(const Shape3& shape, LabelType type, const NiftiAffine& affine) {
  nifti_1_header header;
  std::memset(&header, 0, sizeof header);
  header.sizeof_hdr = sizeof header;
  header.dim[0] = 3;
  for (int i = 1; i < 8; ++i) header.dim[i] = 1;
  header.pixdim[0] = 1;
  for (int axis = 0; axis < 3; ++axis) {
    header.dim[1 + axis] = static_cast<int16_t>(shape[2 - axis]);
    header.pixdim[1 + axis] =
        static_cast<float>(std::hypot(affine[axis], affine[4 + axis], affine[8 + axis]));
  }
  header.datatype = type == LabelType::kUint8 ? NIFTI_TYPE_UINT8 : NIFTI_TYPE_UINT16;
  header.bitpix = type == LabelType::kUint8 ? 8 : 16;
  header.vox_offset = 352;
  header.sform_code = NIFTI_XFORM_ALIGNED_ANAT;
  for (int column = 0; column < 4; ++column) {
    header.srow_x[column] = static_cast<float>(affine[column]);
    header.srow_y[column] = static_cast<float>(affine[4 + column]);
    header.srow_z[column] = static_cast<float>(affine[8 + column]);
  }
  std::memcpy(header.magic, "n+1", 4);
  return header;
}

}  // namespace

absl::StatusOr<NiftiFile> ReadNifti(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  const std::string name = absl::AsciiStrToLower(path);
  if (!absl::EndsWith(name, ".nii") && !absl::EndsWith(name, ".nii.gz")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": unknown file type, expected .nii or .nii.gz"));
  }
  NNSEG_RETURN_IF_ERROR(CheckNiftiIsComplete(path));
  const NiftiImage image(nifti_image_read(path.c_str(), /*read_data=*/1), &nifti_image_free);
  if (image == nullptr || image->data == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no NIfTI file"));
  }
  if (image->ndim < 3 || image->nt > 1 || image->nu > 1 || image->nv > 1 || image->nw > 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", image->ndim,
                                                   "D image, expected 3 axes (give several "
                                                   "channels as several files)"));
  }
  NiftiFile file;
  file.size = {image->nx, image->ny, image->nz};
  file.spacing_mm = {image->dx, image->dy, image->dz};
  file.affine = AffineOf(*image, file);
  const double determinant = DeterminantOf(file.affine);
  if (!std::isfinite(determinant) || determinant == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": its affine is singular, expected axes that span the space"));
  }
  NNSEG_ASSIGN_OR_RETURN(file.voxels, VoxelsOf(*image, path));
  return file;
}

absl::Status WriteNiftiLabels(const Volume<uint16_t>& labels, LabelType type,
                              const NiftiAffine& affine, const std::string& path) {
  const nifti_1_header header = HeaderFor(labels.shape(), type, affine);
  std::vector<char> bytes(352 + static_cast<std::size_t>(labels.size() * header.bitpix / 8), 0);
  std::memcpy(bytes.data(), &header, sizeof header);
  if (type == LabelType::kUint8) {
    std::copy(labels.voxels().begin(), labels.voxels().end(),
              reinterpret_cast<uint8_t*>(bytes.data() + 352));
  } else {
    std::memcpy(bytes.data() + 352, labels.voxels().data(), labels.voxels().size_bytes());
  }
  const bool packed = absl::EndsWith(absl::AsciiStrToLower(path), ".gz");
  gzFile out = gzopen(path.c_str(), packed ? "wb6" : "wbT");
  bool good = out != nullptr;
  for (std::size_t at = 0; good && at < bytes.size();) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes.size() - at, 1 << 24));
    good = gzwrite(out, bytes.data() + at, part) == static_cast<int>(part);
    at += part;
  }
  if (out != nullptr && gzclose(out) != Z_OK) good = false;
  return good ? absl::OkStatus()
              : absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written"));
}

}  // namespace nnseg
