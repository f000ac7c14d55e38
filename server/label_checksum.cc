#include "server/label_checksum.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "proto/wire/label_codec.h"

namespace nnseg {
namespace {

/// CRC-32 of `count` zero bytes.
uLong CrcOfZeros(int64_t count) {
  // crc32_combine(a, b, n) appends n bytes with checksum b: double the run for each binary digit.
  uLong result = crc32(0, nullptr, 0);
  const Bytef zero = 0;
  uLong run = crc32(0, &zero, 1);
  for (int64_t length = 1; count >= length; length *= 2) {
    if (count & length) result = crc32_combine(result, run, length);
    run = crc32_combine(run, run, length);
  }
  return result;
}

}  // namespace

LabelChecksum::LabelChecksum(const Shape3& shape, LabelType type)
    : shape_(shape),
      type_(type),
      value_(static_cast<uint32_t>(CrcOfZeros(shape.voxels() * SizeOf(type)))) {}

void LabelChecksum::Add(const LabelBlock& block) {
  if (block.box.empty()) return;
  // Runs that are contiguous in the map: whole planes, or rows.
  const Shape3 extent = block.box.shape();
  const int64_t rows = extent[2] == shape_[2] ? extent[1] : 1;
  const int64_t run = rows * extent[2];
  const int64_t run_bytes = run * SizeOf(type_);
  const int64_t map_bytes = shape_.voxels() * SizeOf(type_);
  const Index3 strides = shape_.strides();
  const uLong zeros = CrcOfZeros(run_bytes);
  const uLong step = crc32_combine_gen(rows * strides[1] * SizeOf(type_));  // from run to run

  std::vector<uint8_t> bytes(static_cast<std::size_t>(run_bytes));
  const uint16_t* labels = block.labels.voxels().data();
  for (int64_t z = 0; z < extent[0]; ++z) {
    uLong change = 0;  // of the plane, up to the end of the last run
    for (int64_t y = 0; y < extent[1]; y += rows, labels += run) {
      if (type_ == LabelType::kUint8) {
        std::copy(labels, labels + run, bytes.begin());
      } else {
        std::memcpy(bytes.data(), labels, bytes.size());
      }
      const uLong change_of_run = crc32_z(0, bytes.data(), bytes.size()) ^ zeros;
      change = crc32_combine_op(change, change_of_run, step);
    }
    if (change == 0) continue;  // background
    const int64_t begin = ((block.box.begin[0] + z) * strides[0] +
                           (block.box.end[1] - rows) * strides[1] + block.box.begin[2]) *
                          SizeOf(type_);
    value_ ^= static_cast<uint32_t>(crc32_combine(change, 0, map_bytes - begin - run_bytes));
  }
}

}  // namespace nnseg
