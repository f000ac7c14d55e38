#include "proto/wire/region_codec.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "proto/wire/geometry_codec.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Geometry kGeometry{.size = {30, 20, 10}, .spacing_mm = {1, 1, 2}};

// What a header with one region, or more, comes to.
absl::StatusOr<std::vector<Box3>> Read(
    const std::vector<std::function<void(pb::Region&)>>& regions) {
  pb::SegmentHeader header;
  for (const auto& fill : regions) fill(*header.add_regions());
  return RegionsFromProto(header.regions(), kGeometry);
}

std::function<void(pb::Region&)> Voxels(const Box3& box) {
  return [=](pb::Region& region) { *region.mutable_voxels() = ToProto(box); };
}

std::function<void(pb::Region&)> Mm(const std::vector<double>& begin,
                                    const std::vector<double>& end) {
  return [=](pb::Region& region) {
    region.mutable_mm()->mutable_begin_mm()->Add(begin.begin(), begin.end());
    region.mutable_mm()->mutable_end_mm()->Add(end.begin(), end.end());
  };
}

TEST(RegionsFromProto, BoxesOfBothKindsBecomeDisjointBoxesOfVoxels) {
  const Box3 a{{{1, 2, 3}}, {{4, 5, 6}}};
  EXPECT_THAT(Read({}), IsOkAndHolds(ElementsAre()));
  EXPECT_THAT(Read({Voxels(a), Mm({20, 10, 12}, {21, 12, 100})}),
              IsOkAndHolds(ElementsAre(a, Box3{{{6, 10, 20}}, {{10, 13, 22}}})));
  EXPECT_THAT(Read({Voxels(a), Voxels({{{3, 4, 5}}, {{9, 9, 9}}})}),
              IsOkAndHolds(ElementsAre(Box3{{{1, 2, 3}}, {{9, 9, 9}}})));
}

TEST(RegionsFromProto, NamesWhatIsWrong) {
  const auto fine = Voxels({{{0, 0, 0}}, {{1, 1, 1}}});
  const auto expect = [&](const std::function<void(pb::Region&)>& region, const char* text) {
    EXPECT_THAT(Read({fine, region}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::AllOf(HasSubstr("regions[1]: "), HasSubstr(text))));
  };
  expect([](auto&) {}, "got no place, expected voxels or mm");
  expect(Voxels({{{0, 0, 0}}, {{11, 5, 5}}}), "got [0, 11) along array axis 0, expected within");
  expect(Voxels({{{0, -1, 0}}, {{5, 5, 5}}}), "got [-1, 5) along array axis 1");
  expect(Voxels({{{0, 4, 0}}, {{5, 4, 5}}}), "got 5x0x5 voxels, expected at least one");
  expect([](pb::Region& region) { region.mutable_voxels()->add_begin(3); },
         "box.begin: got 1 values, expected 3");
  expect(Mm({0, 0}, {1, 1, 1}), "mm.begin_mm: got [0, 0], expected 3 finite values");
  expect(Mm({0, 0, 0}, {1, 1, std::numeric_limits<double>::infinity()}), "mm.end_mm: got [1, 1");
  expect(Mm({0, 5, 0}, {1, 4, 1}), "expected no value of begin_mm above end_mm's");
  expect(Mm({100, 0, 0}, {101, 1, 1}), "got (100, 0, 0) to (101, 1, 1) mm outside of the image");
  EXPECT_THAT(Read(std::vector<std::function<void(pb::Region&)>>(65, fine)),
              StatusIs(absl::StatusCode::kInvalidArgument, "regions: got 65, expected at most 64"));
}

}  // namespace
}  // namespace nnseg
