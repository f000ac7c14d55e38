#ifndef NNSEG_CORE_VOLUME_PIXEL_TYPE_H_
#define NNSEG_CORE_VOLUME_PIXEL_TYPE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace nnseg {

/// The number types in which a client may send voxels; little-endian.
enum class PixelType { kInt8, kUint8, kInt16, kUint16, kInt32, kUint32, kFloat32, kFloat64 };

/// Bytes of one voxel.
int64_t SizeOf(PixelType type);

/// "int16", for messages.
absl::string_view NameOf(PixelType type);

/// Calls f with a zero of the C++ type that `type` names: a switch written once.
template <typename F>
decltype(auto) VisitPixelType(PixelType type, F&& f) {
  switch (type) {
    case PixelType::kInt8:
      return f(int8_t{});
    case PixelType::kUint8:
      return f(uint8_t{});
    case PixelType::kInt16:
      return f(int16_t{});
    case PixelType::kUint16:
      return f(uint16_t{});
    case PixelType::kInt32:
      return f(int32_t{});
    case PixelType::kUint32:
      return f(uint32_t{});
    case PixelType::kFloat32:
      return f(float{});
    case PixelType::kFloat64:
      break;
  }
  return f(double{});
}

}  // namespace nnseg

#endif  // NNSEG_CORE_VOLUME_PIXEL_TYPE_H_
