#ifndef NNSEG_CORE_MODEL_VERIFIED_FILE_H_
#define NNSEG_CORE_MODEL_VERIFIED_FILE_H_

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/plan/bundle_manifest.h"

namespace nnseg {

/// SHA-256, lower-case hexadecimal.
std::string Sha256(const std::string& content);

/// All of a file of at most `max_bytes`. NOT_FOUND when it is missing, INVALID_ARGUMENT when it is
/// a link, no regular file or larger. Errors give its base name.
absl::StatusOr<std::string> ReadSmallFile(const std::filesystem::path& path, std::size_t max_bytes);

/// Compares size and hash of the file's bytes with what was promised, reading it in pieces: errors
/// as ReadSmallFile, and DATA_LOSS when they differ.
absl::Status VerifyFile(const std::filesystem::path& path, const BundleFile& expected);

/// The same for content that was read already; `name` is for the error.
absl::Status VerifyContent(const std::string& name, const std::string& content,
                           const BundleFile& expected);

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_VERIFIED_FILE_H_
