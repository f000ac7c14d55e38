#include "tests/support/golden.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

[[noreturn]] void Fail(const std::string& path, const std::string& what) {
  std::fprintf(stderr, "golden %s: %s\n", path.c_str(), what.c_str());
  std::abort();
}

template <typename T>
const char* NumpyType();
template <>
const char* NumpyType<Half>() {
  return "<f2";
}
template <>
const char* NumpyType<float>() {
  return "<f4";
}
template <>
const char* NumpyType<double>() {
  return "<f8";
}
template <>
const char* NumpyType<uint8_t>() {
  return "|u1";
}
template <>
const char* NumpyType<uint16_t>() {
  return "<u2";
}

}  // namespace

std::string TestDataPath(const std::string& name) {
  const char* const root = std::getenv("NNSEG_TEST_DATA");
  if (root == nullptr) Fail(name, "the environment variable NNSEG_TEST_DATA is not set");
  return absl::StrCat(root, "/", name);
}

nlohmann::json ReadJson(const std::string& path) {
  std::ifstream file(path);
  nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) Fail(path, "cannot be read as JSON");
  return json;
}

template <typename T>
Volume<T> ReadNpy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char preamble[10];  // magic (6), version (2), header length (2)
  if (!file.read(preamble, sizeof preamble)) Fail(path, "cannot be read");
  if (std::string(preamble + 1, 5) != "NUMPY" || preamble[6] != 1) Fail(path, "is not .npy 1.0");
  const auto length =
      static_cast<unsigned char>(preamble[8]) + 256U * static_cast<unsigned char>(preamble[9]);
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  if (header.find(absl::StrCat("'", NumpyType<T>(), "'")) == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    Fail(path, absl::StrCat("has header ", header, ", expected type ", NumpyType<T>()));
  }
  std::smatch match;
  if (!std::regex_search(header, match, std::regex(R"('shape': \(([^)]*)\))"))) {
    Fail(path, "has no shape");
  }
  const std::string sizes = match[1];
  std::vector<int64_t> shape;
  const std::regex number("[0-9]+");
  for (std::sregex_iterator it(sizes.begin(), sizes.end(), number), end; it != end; ++it) {
    shape.push_back(std::stoll(it->str()));
  }
  if (shape.size() == 3) shape.insert(shape.begin(), 1);
  if (shape.size() != 4) Fail(path, "has neither 3 nor 4 axes");
  Volume<T> volume = Volume<T>::Uninitialized(shape[0], {{shape[1], shape[2], shape[3]}});
  const auto bytes = static_cast<std::streamsize>(volume.voxels().size_bytes());
  if (!file.read(reinterpret_cast<char*>(volume.voxels().data()), bytes)) Fail(path, "is short");
  return volume;
}

template Volume<Half> ReadNpy<Half>(const std::string&);
template Volume<float> ReadNpy<float>(const std::string&);
template Volume<double> ReadNpy<double>(const std::string&);
template Volume<uint8_t> ReadNpy<uint8_t>(const std::string&);
template Volume<uint16_t> ReadNpy<uint16_t>(const std::string&);

}  // namespace nnseg
