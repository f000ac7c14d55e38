#include "client/commands/roi.h"

#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

bool ParseNumber(const std::string& text, int64_t& value) { return absl::SimpleAtoi(text, &value); }
bool ParseNumber(const std::string& text, double& value) {
  return absl::SimpleAtod(text, &value) && std::isfinite(value);
}

/// Appends the three ranges of a text to `begin` and `end`.
template <typename Number>
absl::Status ParseRanges(const std::string& text, const char* expected,
                         google::protobuf::RepeatedField<Number>& begin,
                         google::protobuf::RepeatedField<Number>& end) {
  const std::vector<std::string> ranges = absl::StrSplit(text, ',');
  bool good = ranges.size() == 3;
  for (const std::string& range : ranges) {
    const std::vector<std::string> ends = absl::StrSplit(range, ':');
    Number from{};
    Number to{};
    good = good && ends.size() == 2 && ParseNumber(ends[0], from) && ParseNumber(ends[1], to);
    begin.Add(from);
    end.Add(to);
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("got ", text, ", expected ", expected));
}

}  // namespace

absl::StatusOr<pb::Region> ParseVoxelRegion(const std::string& text) {
  pb::Region region;
  pb::Box& box = *region.mutable_voxels();
  NNSEG_RETURN_IF_ERROR(
      ParseRanges(text, "z0:z1,y0:y1,x0:x1 in voxels", *box.mutable_begin(), *box.mutable_end()));
  return region;
}

absl::StatusOr<pb::Region> ParsePhysicalRegion(const std::string& text) {
  pb::Region region;
  pb::PhysicalBox& box = *region.mutable_mm();
  NNSEG_RETURN_IF_ERROR(ParseRanges(text, "x0:x1,y0:y1,z0:z1 in millimetres",
                                    *box.mutable_begin_mm(), *box.mutable_end_mm()));
  return region;
}

}  // namespace nnseg
