#include "client/io/itk_format.h"

#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace nnseg {

absl::StatusOr<itk::ImageIOBase::Pointer> ImageIoFor(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(path);
  itk::ImageIOBase::Pointer io;
  if (absl::EndsWith(name, ".nii") || absl::EndsWith(name, ".nii.gz")) {
    io = itk::NiftiImageIO::New();
  } else if (absl::EndsWith(name, ".nrrd")) {
    io = itk::NrrdImageIO::New();
  } else if (absl::EndsWith(name, ".mha") || absl::EndsWith(name, ".mhd")) {
    io = itk::MetaImageIO::New();
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": unknown file type, expected .nii, .nii.gz, .nrrd, .mha or .mhd"));
  }
  io->SetFileName(path);
  return io;
}

}  // namespace nnseg
