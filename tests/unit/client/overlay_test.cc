#include "client/io/overlay.h"

#include <cairo.h>

#include <memory>

#include "client/io/palette.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

/// A picture read back from its file.
class Picture {
 public:
  explicit Picture(const std::string& path)
      : surface_(cairo_image_surface_create_from_png(path.c_str()), &cairo_surface_destroy) {}

  int width() const { return cairo_image_surface_get_width(surface_.get()); }
  int height() const { return cairo_image_surface_get_height(surface_.get()); }
  /// Red, green and blue, 0 to 1.
  Colour At(double x, double y) const {
    const unsigned char* row = cairo_image_surface_get_data(surface_.get()) +
                               static_cast<int>(y) * cairo_image_surface_get_stride(surface_.get());
    const auto pixel = reinterpret_cast<const uint32_t*>(row)[static_cast<int>(x)];
    return {(pixel >> 16 & 255) / 255.0, (pixel >> 8 & 255) / 255.0, (pixel & 255) / 255.0};
  }

 private:
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
};

bool IsGrey(const Colour& c) { return c.red == c.green && c.green == c.blue; }

/// Whether `got` is label colour over black: the colour times some opacity.
bool IsTintOf(const Colour& got, const Colour& label) {
  const double opacity = got.red / label.red;
  return opacity > 0.3 && std::abs(got.green - opacity * label.green) < 0.02 &&
         std::abs(got.blue - opacity * label.blue) < 0.02;
}

/// A head-like grid of an RAS file whose voxels are 0 except on its left half, where they are 100.
class Overlay : public testing::Test {
 protected:
  Overlay() {
    geometry_ = {{40, 40, 20}, {1, 1, 3}, {}, {-1, 0, 0, 0, -1, 0, 0, 0, 1}};
    image_.geometry = geometry_;
    image_.voxels = *VoxelBuffer::Allocate(PixelType::kUint8, 1, geometry_.shape());
    for (std::byte& voxel : image_.voxels.bytes()) voxel = std::byte{0};
    map_ = {geometry_, LabelType::kUint8, Volume<uint16_t>::Filled(1, geometry_.shape(), 0)};
  }

  Picture Draw(const std::vector<LegendEntry>& legend = {}) {
    const std::string path = (folder_.path() / "overlay.png").string();
    NNSEG_EXPECT_OK(WriteOverlay(image_, map_, legend, "model", path));
    return Picture(path);
  }

  TemporaryFolder folder_;
  Geometry geometry_;
  Image image_;
  LabelMap map_;
};

TEST_F(Overlay, ALabelAppearsInItsColourWhereThePatientHasIt) {
  // Left, anterior, superior in the patient: low x, high y and high z of this file.
  for (int64_t z = 10; z < 20; ++z) {
    for (int64_t y = 20; y < 40; ++y) {
      for (int64_t x = 0; x < 20; ++x) map_.labels.at(0, {{z, y, x}}) = 2;
    }
  }
  const Picture picture = Draw();
  const auto at = [&](Plane plane, double right, double down) {
    const Panel panel = PanelOf(geometry_, plane, 1);
    return picture.At(panel.x + right * panel.width, panel.y + down * panel.height);
  };
  const Colour colour = ColourOfLabel(2);
  // The label is seen in the quarter on the patient's left, anterior and superior only.
  EXPECT_TRUE(IsTintOf(at(Plane::kAxial, 0.75, 0.25), colour));
  EXPECT_TRUE(IsGrey(at(Plane::kAxial, 0.25, 0.25)));
  EXPECT_TRUE(IsGrey(at(Plane::kAxial, 0.75, 0.75)));
  EXPECT_TRUE(IsTintOf(at(Plane::kCoronal, 0.75, 0.25), colour));
  EXPECT_TRUE(IsGrey(at(Plane::kCoronal, 0.25, 0.25)));
  EXPECT_TRUE(IsGrey(at(Plane::kCoronal, 0.75, 0.75)));
  EXPECT_TRUE(IsTintOf(at(Plane::kSagittal, 0.25, 0.25), colour));
  EXPECT_TRUE(IsGrey(at(Plane::kSagittal, 0.75, 0.25)));
  EXPECT_TRUE(IsGrey(at(Plane::kSagittal, 0.25, 0.75)));
}

TEST_F(Overlay, BrightVoxelsAreBright) {
  for (int64_t z = 0; z < 20; ++z) {
    for (int64_t y = 0; y < 40; ++y) {
      for (int64_t x = 0; x < 20; ++x) {
        image_.voxels.bytes()[static_cast<std::size_t>((z * 40 + y) * 40 + x)] = std::byte{100};
      }
    }
  }
  const Picture picture = Draw();
  const Panel panel = PanelOf(geometry_, Plane::kAxial, 0);
  EXPECT_GT(picture.At(panel.x + 0.75 * panel.width, panel.y + 20).red, 0.95);
  EXPECT_LT(picture.At(panel.x + 0.25 * panel.width, panel.y + 20).red, 0.05);
}

TEST_F(Overlay, PanelsKeepTheProportionsOfThePatient) {
  const Panel axial = PanelOf(geometry_, Plane::kAxial, 0);
  const Panel coronal = PanelOf(geometry_, Plane::kCoronal, 0);
  EXPECT_NEAR(axial.width / axial.height, 1.0, 0.01);
  EXPECT_NEAR(coronal.width / coronal.height, 40.0 / 60.0, 0.01);
  EXPECT_GE(coronal.y, axial.y + axial.height);
}

TEST_F(Overlay, ALongLegendWidensThePictureUpToALimit) {
  std::vector<LegendEntry> legend;
  const int without = Draw(legend).width();
  for (int i = 1; i <= 100; ++i) legend.push_back({i, "region", 1.0 * i});
  const int with_hundred = Draw(legend).width();
  for (int i = 101; i <= 600; ++i) legend.push_back({i, "region", 1.0 * i});
  EXPECT_GT(with_hundred, without);
  EXPECT_LE(Draw(legend).width(), without + 2 * 300);
}

TEST_F(Overlay, AnImpossiblePathIsAnError) {
  EXPECT_THAT(WriteOverlay(image_, map_, {}, "model", "/nowhere/overlay.png"),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("overlay.png")));
}

TEST(Palette, HundredsOfLabelsHaveColoursOfTheirOwn) {
  for (int a = 1; a <= 300; ++a) {
    for (int b = 1; b < a; ++b) {
      const Colour x = ColourOfLabel(a);
      const Colour y = ColourOfLabel(b);
      EXPECT_GT(std::abs(x.red - y.red) + std::abs(x.green - y.green) + std::abs(x.blue - y.blue),
                a <= 12 ? 0.25 : 1e-3)
          << a << " and " << b;
    }
  }
}

TEST(PanelOf, APictureFillsItsPlaneInSpiteOfItsHugeSpacing) {
  const Geometry picture{{100, 50, 1}, {1, 1, 999}};
  const Panel panel = PanelOf(picture, Plane::kAxial, 0);
  EXPECT_EQ(panel.width, 300);
  EXPECT_EQ(panel.height, 150);
}

}  // namespace
}  // namespace nnseg
