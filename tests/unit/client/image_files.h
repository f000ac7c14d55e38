#ifndef NNSEG_TESTS_UNIT_CLIENT_IMAGE_FILES_H_
#define NNSEG_TESTS_UNIT_CLIENT_IMAGE_FILES_H_

#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "core/geometry/geometry.h"

namespace nnseg {

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A grid of 4 x 3 x 2 voxels, turned by 0.3 rad about z and 0.2 rad about x.
inline Geometry ObliqueGeometry() {
  const double a = 0.3;
  const double b = 0.2;
  return {{4, 3, 2},
          {0.75, 1.25, 2.5},
          {-10.5, 20.25, 30},
          {std::cos(a), -std::sin(a) * std::cos(b), std::sin(a) * std::sin(b), std::sin(a),
           std::cos(a) * std::cos(b), -std::cos(a) * std::sin(b), 0, std::sin(b), std::cos(b)}};
}

template <typename T>
std::string Bytes(const std::vector<T>& voxels) {
  return {reinterpret_cast<const char*>(voxels.data()), voxels.size() * sizeof(T)};
}

/// A MetaImage file of the voxels (C order z, y, x), written as its format says and not by ITK.
template <typename T>
std::string MetaImage(const Geometry& geometry, const char* element_type,
                      const std::vector<T>& voxels) {
  std::ostringstream out;
  out.precision(17);
  const auto list = [&out](const char* key, const auto& values) {
    out << key << " =";
    for (const auto& value : values) out << ' ' << value;
    out << '\n';
  };
  // MetaImage lists the axes one after another: the columns of the direction matrix.
  const auto& d = geometry.direction;
  out << "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
         "CompressedData = False\n";
  list("TransformMatrix",
       std::vector<double>{d[0], d[3], d[6], d[1], d[4], d[7], d[2], d[5], d[8]});
  list("Offset", geometry.origin_mm);
  list("ElementSpacing", geometry.spacing_mm);
  list("DimSize", geometry.size);
  out << "ElementType = " << element_type << "\nElementDataFile = LOCAL\n" << Bytes(voxels);
  return out.str();
}

/// The same as NRRD.
template <typename T>
std::string Nrrd(const Geometry& geometry, const char* type, const std::vector<T>& voxels) {
  std::ostringstream out;
  out.precision(17);
  out << "NRRD0004\ntype: " << type << "\ndimension: 3\nspace: left-posterior-superior\nsizes:";
  for (const int64_t size : geometry.size) out << ' ' << size;
  out << "\nspace directions:";
  for (int axis = 0; axis < 3; ++axis) {
    const auto component = [&](int row) {
      return geometry.direction[3 * row + axis] * geometry.spacing_mm[axis];
    };
    out << " (" << component(0) << ',' << component(1) << ',' << component(2) << ')';
  }
  out << "\nkinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: ("
      << geometry.origin_mm[0] << ',' << geometry.origin_mm[1] << ',' << geometry.origin_mm[2]
      << ")\n\n"
      << Bytes(voxels);
  return out.str();
}

/// Fields of a NIfTI-1 file whose sform is the geometry, given in its RAS world.
struct NiftiFields {
  int16_t datatype = 4;  ///< 2 uint8, 4 int16, 16 float32, 512 uint16, 1024 int64
  std::vector<int16_t> dims{3, 4, 3, 2, 1, 1, 1, 1};
  float slope = 0;
  float intercept = 0;
};

template <typename T>
std::string Nifti(const Geometry& geometry, const NiftiFields& fields,
                  const std::vector<T>& voxels) {
  std::string header(352, '\0');
  const auto put = [&header](std::size_t offset, auto value) {
    std::memcpy(header.data() + offset, &value, sizeof value);
  };
  put(0, int32_t{348});
  for (std::size_t i = 0; i < fields.dims.size(); ++i) put(40 + 2 * i, fields.dims[i]);
  put(70, fields.datatype);
  put(72, static_cast<int16_t>(8 * sizeof(T)));
  put(76, 1.0F);  // qfac
  for (int axis = 0; axis < 3; ++axis) {
    put(80 + 4 * static_cast<std::size_t>(axis), static_cast<float>(geometry.spacing_mm[axis]));
  }
  put(108, 352.0F);  // vox_offset
  put(112, fields.slope);
  put(116, fields.intercept);
  put(254, int16_t{1});  // sform_code: scanner
  for (int row = 0; row < 3; ++row) {
    const double sign = row < 2 ? -1 : 1;  // LPS to RAS
    const std::size_t at = 280 + 16 * static_cast<std::size_t>(row);
    for (int axis = 0; axis < 3; ++axis) {
      put(at + 4 * static_cast<std::size_t>(axis),
          static_cast<float>(sign * geometry.direction[3 * row + axis] *
                             geometry.spacing_mm[axis]));
    }
    put(at + 12, static_cast<float>(sign * geometry.origin_mm[row]));
  }
  header.replace(344, 3, "n+1");
  return header + Bytes(voxels);
}

/// The bytes as a gzip file.
inline std::string Gzip(const std::string& plain) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_UNIT_CLIENT_IMAGE_FILES_H_
