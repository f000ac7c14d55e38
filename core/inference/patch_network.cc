#include "core/inference/patch_network.h"

#include "core/base/status_macros.h"

namespace nnseg {

absl::Status PatchNetwork::RunBatch(std::span<const PatchPass> passes) {
  for (const PatchPass& pass : passes) NNSEG_RETURN_IF_ERROR(Run(pass.input, pass.output));
  return absl::OkStatus();
}

}  // namespace nnseg
