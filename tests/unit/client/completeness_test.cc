#include "client/io/completeness.h"

#include "client/io/image_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"
#include "tests/unit/client/image_files.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

class Completeness : public testing::Test {
 protected:
  absl::Status Read(const std::string& name, const std::string& bytes) {
    const std::string path = (folder_.path() / name).string();
    WriteFile(path, bytes);
    return ReadImage({path}).status();
  }

  TemporaryFolder folder_;
  const std::string nifti_ = Nifti(ObliqueGeometry(), NiftiFields{}, std::vector<int16_t>(24, 7));
  const std::string meta_image_ =
      MetaImage(ObliqueGeometry(), "MET_SHORT", std::vector<int16_t>(24, 7));
};

TEST_F(Completeness, WholeFilesAreRead) {
  NNSEG_EXPECT_OK(Read("a.nii", nifti_));
  NNSEG_EXPECT_OK(Read("a.nii.gz", Gzip(nifti_)));
  NNSEG_EXPECT_OK(Read("a.mha", meta_image_));
}

TEST_F(Completeness, OneMissingByteIsNoticed) {
  EXPECT_THAT(Read("a.nii", nifti_.substr(0, nifti_.size() - 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("47 of 48 bytes")));
  EXPECT_THAT(Read("a.nii.gz", Gzip(nifti_.substr(0, nifti_.size() - 1))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("47 of 48 bytes")));
  EXPECT_THAT(Read("a.mha", meta_image_.substr(0, meta_image_.size() - 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("47 of 48 bytes")));
}

/// A file large enough that its header unpacks from the first few kilobytes.
std::string LargeGzip() {
  Geometry geometry = ObliqueGeometry();
  geometry.size = {64, 64, 32};
  std::vector<int16_t> noise(64 * 64 * 32);
  uint32_t state = 1;
  for (int16_t& voxel : noise) {
    state = state * 1664525 + 1013904223;
    voxel = static_cast<int16_t>(state >> 16);
  }
  return Gzip(Nifti(geometry, {.dims = {3, 64, 64, 32, 1, 1, 1, 1}}, noise));
}

TEST_F(Completeness, ATruncatedDownloadIsNoticed) {
  const std::string packed = LargeGzip();
  NNSEG_ASSERT_OK(Read("a.nii.gz", packed));
  EXPECT_THAT(Read("a.nii.gz", packed.substr(0, packed.size() * 2 / 3)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("incomplete")));
}

TEST_F(Completeness, AFlippedByteInAGzipFileIsNoticed) {
  std::string packed = LargeGzip();
  packed[packed.size() - 6] ^= 1;  // in the checksum
  EXPECT_THAT(Read("a.nii.gz", packed),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("damaged")));
}

TEST_F(Completeness, AMissingDataFileIsNamed) {
  std::string header = meta_image_;
  header.replace(header.find("LOCAL"), std::string::npos, "voxels.raw\n");
  EXPECT_THAT(Read("a.mhd", header),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("voxels.raw")));
}

}  // namespace
}  // namespace nnseg
