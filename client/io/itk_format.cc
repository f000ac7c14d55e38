#include "client/io/itk_format.h"

#include <itkBMPImageIO.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>
#include <itkPNGImageIO.h>
#include <itkTIFFImageIO.h>

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
  } else if (absl::EndsWith(name, ".png")) {
    io = itk::PNGImageIO::New();
  } else if (absl::EndsWith(name, ".bmp")) {
    io = itk::BMPImageIO::New();
  } else if (absl::EndsWith(name, ".tif") || absl::EndsWith(name, ".tiff")) {
    io = itk::TIFFImageIO::New();
    io->SetCompressor("deflate");
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": unknown file type, expected .nii, .nii.gz, .nrrd, .mha, .mhd, .png, .bmp, "
                     ".tif or .tiff"));
  }
  io->SetFileName(path);
  return io;
}

std::string DescriptionOf(const itk::ExceptionObject& error) {
  const std::string text = error.GetDescription();
  const absl::string_view line = absl::string_view(text).substr(0, text.find('\n'));
  const std::size_t prefix = line.find("): ");  // "ITK ERROR: NiftiImageIO(0x5654121371f0): "
  return std::string(prefix == absl::string_view::npos ? line : line.substr(prefix + 3));
}

}  // namespace nnseg
