#include "core/volume/pixel_type.h"

namespace nnseg {

int64_t SizeOf(PixelType type) {
  return VisitPixelType(type, [](auto zero) { return static_cast<int64_t>(sizeof zero); });
}

absl::string_view NameOf(PixelType type) {
  switch (type) {
    case PixelType::kInt8:
      return "int8";
    case PixelType::kUint8:
      return "uint8";
    case PixelType::kInt16:
      return "int16";
    case PixelType::kUint16:
      return "uint16";
    case PixelType::kInt32:
      return "int32";
    case PixelType::kUint32:
      return "uint32";
    case PixelType::kFloat32:
      return "float32";
    case PixelType::kFloat64:
      return "float64";
  }
  return "unknown";
}

}  // namespace nnseg
