#ifndef NNSEG_CLIENT_IO_NPZ_WRITER_H_
#define NNSEG_CLIENT_IO_NPZ_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace nnseg {

/// Writes one float32 array, C order, as numpy.savez_compressed does: a ZIP64 file with the
/// deflated entry `<key>.npy`. INVALID_ARGUMENT when the file cannot be written.
absl::Status WriteNpz(const std::string& path, const std::string& key,
                      const std::array<int64_t, 4>& shape, std::span<const std::byte> values);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_NPZ_WRITER_H_
