#ifndef NNSEG_CLIENT_IO_ITK_FORMAT_H_
#define NNSEG_CLIENT_IO_ITK_FORMAT_H_

#include <itkImageIOBase.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace nnseg {

/// ITK's reader and writer for the file's ending, with the file name set. Chosen here and not by
/// ITK's factories: nothing needs to be registered. INVALID_ARGUMENT for other endings.
absl::StatusOr<itk::ImageIOBase::Pointer> ImageIoFor(const std::string& path);

/// The first line of what ITK says, without its class and address.
std::string DescriptionOf(const itk::ExceptionObject& error);

/// Runs `body`, which calls ITK and returns an absl::Status; ITK's exceptions become
/// INVALID_ARGUMENT that begins with `what`.
template <typename Body>
absl::Status GuardItk(const std::string& what, Body&& body) {
  try {
    return body();
  } catch (const itk::ExceptionObject& error) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", DescriptionOf(error)));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", error.what()));
  }
}

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_ITK_FORMAT_H_
