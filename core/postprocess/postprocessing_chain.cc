#include "core/postprocess/postprocessing_chain.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/postprocess/connected_components.h"
#include "core/postprocess/largest_component.h"

namespace nnseg {
namespace {

constexpr int64_t kMaxVoxels = int64_t{1} << 32;  // runs and components count in 32 bits

}  // namespace

absl::Status ApplyPostprocessing(const PostprocessingRules& rules, const CancellationToken& token,
                                 Volume<uint16_t>& labels) {
  if (labels.size() >= kMaxVoxels) {
    return absl::InvalidArgumentError(absl::StrCat("post-processing got a label map of ",
                                                   labels.size(), " voxels, expected fewer than ",
                                                   kMaxVoxels));
  }
  for (const LargestComponentRule& rule : rules) {
    NNSEG_RETURN_IF_ERROR(token.Check());
    KeepLargestComponent(rule, labels);
  }
  return absl::OkStatus();
}

int64_t PostprocessingBytes(int64_t voxels) { return ConnectedComponents::Bytes(voxels); }

}  // namespace nnseg
