#include "client/io/completeness.h"

#include <nifti1_io.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

absl::Status Incomplete(const std::string& path, int64_t got, int64_t expected) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": file is incomplete: it holds ", got,
                                                 " of ", expected, " bytes of image data"));
}

/// What a MetaImage header says of where its data lie.
struct MetaHeader {
  std::string data_file;               ///< "LOCAL": behind the header
  int64_t end = 0;                     ///< of the header, bytes
  std::optional<int64_t> packed_size;  ///< of compressed data
};

MetaHeader ReadMetaHeader(const std::string& path) {
  MetaHeader header;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) break;
    const std::string key(absl::StripAsciiWhitespace(line.substr(0, equals)));
    const std::string value(absl::StripAsciiWhitespace(line.substr(equals + 1)));
    int64_t number = 0;
    if (key == "CompressedDataSize" && absl::SimpleAtoi(value, &number)) {
      header.packed_size = number;
    }
    if (key == "ElementDataFile") {  // the last one
      header.data_file = value;
      header.end = static_cast<int64_t>(file.tellg());
      break;
    }
  }
  return header;
}

}  // namespace

absl::Status CheckNiftiIsComplete(const std::string& path) {
  const std::unique_ptr<nifti_image, decltype(&nifti_image_free)> header(
      nifti_image_read(path.c_str(), /*read_data=*/0), &nifti_image_free);
  if (header == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no NIfTI file"));
  }
  const auto voxel_bytes = static_cast<int64_t>(header->nvox) * header->nbyper;
  const int64_t data_begin = std::max<int64_t>(header->iname_offset, 0);
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (file == nullptr) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be opened"));
  std::array<char, 1 << 17> block;
  int64_t size = 0;
  int count = 0;
  while ((count = gzread(file.get(), block.data(), block.size())) > 0) size += count;
  int error = Z_OK;
  gzerror(file.get(), &error);
  if (count < 0 && error == Z_DATA_ERROR) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": file is damaged"));
  }
  if (size < data_begin + voxel_bytes) {
    return Incomplete(path, std::max<int64_t>(size - data_begin, 0), voxel_bytes);
  }
  return absl::OkStatus();
}

absl::Status CheckMetaImageIsComplete(const std::string& path, int64_t voxel_bytes) {
  const MetaHeader header = ReadMetaHeader(path);
  if (header.data_file.empty() || absl::StrContains(header.data_file, "%") ||
      absl::StartsWith(header.data_file, "LIST")) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": image data in several files, expected one (ElementDataFile = LOCAL or a name)"));
  }
  const bool local = header.data_file == "LOCAL";
  const std::filesystem::path data =
      local ? std::filesystem::path(path)
            : std::filesystem::path(path).parent_path() / header.data_file;
  std::error_code error;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(data, error));
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": its data file ", header.data_file, " cannot be read"));
  }
  const int64_t got = local ? size - header.end : size;
  const int64_t expected = header.packed_size.value_or(voxel_bytes);
  return got < expected ? Incomplete(path, got, expected) : absl::OkStatus();
}

}  // namespace nnseg
