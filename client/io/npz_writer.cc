#include "client/io/npz_writer.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace nnseg {
namespace {

/// The header of an .npy file, version 1.0 (numpy.lib.format): padded so that the values that
/// follow begin at a multiple of 64.
std::string NpyHeader(const std::array<int64_t, 4>& shape) {
  std::string dictionary = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (",
                                        absl::StrJoin(shape, ", "), "), }");
  constexpr std::size_t kFixed = 10;  // magic, version, length
  while ((kFixed + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

/// The little-endian fields of a ZIP structure.
class Fields {
 public:
  Fields& Add(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  Fields& Add(const std::string& text) {
    text_ += text;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// One deflated entry: its checksum and sizes in bytes.
struct Entry {
  std::string name;
  uint32_t crc32 = 0;
  uint64_t packed = 0;
  uint64_t plain = 0;
};

constexpr uint32_t kSeeZip64 = 0xFFFFFFFF;
constexpr int kZip64Version = 45;
constexpr int kFirstDay = 0x21;  // 1980-01-01: the file says nothing of when it was made

/// What the local and the central header share, from the version on.
Fields& AddCommon(Fields& fields, const Entry& entry, int extra_bytes) {
  return fields.Add(kZip64Version, 2)
      .Add(0, 2)  // flags
      .Add(8, 2)  // deflated
      .Add(0, 2)
      .Add(kFirstDay, 2)
      .Add(entry.crc32, 4)
      .Add(kSeeZip64, 4)
      .Add(kSeeZip64, 4)
      .Add(entry.name.size(), 2)
      .Add(static_cast<uint64_t>(extra_bytes), 2);
}

std::string LocalHeader(const Entry& entry) {
  Fields fields;
  fields.Add(0x04034b50, 4);
  AddCommon(fields, entry, 20).Add(entry.name);
  return fields.Add(1, 2).Add(16, 2).Add(entry.plain, 8).Add(entry.packed, 8).text();
}

/// The central directory of the one entry at offset 0, which begins at `offset`.
std::string Directory(const Entry& entry, uint64_t offset) {
  Fields central;
  central.Add(0x02014b50, 4).Add(kZip64Version, 2);
  AddCommon(central, entry, 20).Add(0, 2).Add(0, 2).Add(0, 2).Add(0, 4).Add(0, 4).Add(entry.name);
  central.Add(1, 2).Add(16, 2).Add(entry.plain, 8).Add(entry.packed, 8);
  const uint64_t size = central.text().size();
  const uint64_t end = offset + size;
  central.Add(0x06064b50, 4).Add(44, 8).Add(kZip64Version, 2).Add(kZip64Version, 2);
  central.Add(0, 4).Add(0, 4).Add(1, 8).Add(1, 8).Add(size, 8).Add(offset, 8);
  central.Add(0x07064b50, 4).Add(0, 4).Add(end, 8).Add(1, 4);
  central.Add(0x06054b50, 4).Add(0, 2).Add(0, 2).Add(1, 2).Add(1, 2);
  return central.Add(size, 4).Add(kSeeZip64, 4).Add(0, 2).text();
}

/// Deflates `bytes` into `out`; `last` ends the stream.
void Deflate(z_stream& stream, std::span<const std::byte> bytes, bool last, Entry& entry,
             std::ofstream& out) {
  constexpr std::size_t kPart = 1 << 24;
  std::vector<char> packed(1 << 18);
  do {
    const auto part = bytes.first(std::min(kPart, bytes.size()));
    bytes = bytes.subspan(part.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    entry.crc32 = static_cast<uint32_t>(
        crc32_z(entry.crc32, reinterpret_cast<const Bytef*>(part.data()), part.size()));
    entry.plain += part.size();
    do {
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      deflate(&stream, last && bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
      const std::size_t count = packed.size() - stream.avail_out;
      out.write(packed.data(), static_cast<std::streamsize>(count));
      entry.packed += count;
    } while (stream.avail_out == 0);
  } while (!bytes.empty());
}

}  // namespace

absl::Status WriteNpz(const std::string& path, const std::string& key,
                      const std::array<int64_t, 4>& shape, std::span<const std::byte> values) {
  std::ofstream out(path, std::ios::binary);
  Entry entry{absl::StrCat(key, ".npy")};
  out << LocalHeader(entry);  // sizes are filled in below
  const auto begin = static_cast<uint64_t>(out.tellp());
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  const std::string header = NpyHeader(shape);
  Deflate(stream, std::as_bytes(std::span(header)), /*last=*/false, entry, out);
  Deflate(stream, values, /*last=*/true, entry, out);
  deflateEnd(&stream);
  out << Directory(entry, begin + entry.packed);
  out.seekp(0);
  out << LocalHeader(entry);
  out.close();
  return out ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written"));
}

}  // namespace nnseg
