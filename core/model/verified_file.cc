#include "core/model/verified_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

/// A running SHA-256.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    NNSEG_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void Add(std::span<const char> bytes) {
    NNSEG_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string Hex() {
    std::array<char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    NNSEG_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                   &length) == 1);
    return absl::BytesToHexString(absl::string_view(digest.data(), length));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// An open file that closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

/// Calls `check_size` with the file's size and, when that is OK, `take` with each piece in turn.
absl::Status ReadFile(const std::filesystem::path& path,
                      const std::function<absl::Status(int64_t)>& check_size,
                      const std::function<void(std::span<const char>)>& take) {
  const std::string name = path.filename().string();
  // Neither follows a link nor waits for the other end of a pipe.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(name, " is missing"));
    if (errno == ELOOP) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is a link, expected a regular file"));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat(name, " cannot be opened"));
  }
  struct stat info {};
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is no regular file"));
  }
  NNSEG_RETURN_IF_ERROR(check_size(info.st_size));
  std::vector<char> piece(kPieceBytes);
  while (true) {
    const ssize_t count = read(file.get(), piece.data(), piece.size());
    if (count == 0) return absl::OkStatus();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, absl::StrCat(name, " cannot be read"));
    take(std::span(piece).first(static_cast<std::size_t>(count)));
  }
}

absl::Status CompareSize(const std::string& name, int64_t size, const BundleFile& expected) {
  if (size == expected.size) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(name, " has ", size, " bytes, expected ", expected.size, " by manifest.json"));
}

absl::Status CompareHash(const std::string& name, const std::string& hash,
                         const BundleFile& expected) {
  if (hash == expected.sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(name, " has the SHA-256 ", hash, ", expected ",
                                          expected.sha256, " by manifest.json"));
}

}  // namespace

std::string Sha256(const std::string& content) {
  Hasher hasher;
  hasher.Add(content);
  return hasher.Hex();
}

absl::StatusOr<std::string> ReadSmallFile(const std::filesystem::path& path,
                                          std::size_t max_bytes) {
  std::string content;
  NNSEG_RETURN_IF_ERROR(ReadFile(
      path,
      [&](int64_t size) {
        if (static_cast<uint64_t>(size) <= max_bytes) return absl::OkStatus();
        return absl::InvalidArgumentError(absl::StrCat(path.filename().string(), " has ", size,
                                                       " bytes, expected at most ", max_bytes));
      },
      [&](std::span<const char> piece) { content.append(piece.data(), piece.size()); }));
  return content;
}

absl::Status VerifyFile(const std::filesystem::path& path, const BundleFile& expected) {
  const std::string name = path.filename().string();
  Hasher hasher;
  NNSEG_RETURN_IF_ERROR(ReadFile(
      path, [&](int64_t size) { return CompareSize(name, size, expected); },
      [&](std::span<const char> piece) { hasher.Add(piece); }));
  return CompareHash(name, hasher.Hex(), expected);
}

absl::Status VerifyContent(const std::string& name, const std::string& content,
                           const BundleFile& expected) {
  NNSEG_RETURN_IF_ERROR(CompareSize(name, static_cast<int64_t>(content.size()), expected));
  return CompareHash(name, Sha256(content), expected);
}

}  // namespace nnseg
