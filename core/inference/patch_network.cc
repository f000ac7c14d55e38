#include "core/inference/patch_network.h"

#include "core/base/status_macros.h"
#include "core/inference/volume_window.h"

namespace nnseg {

absl::Status PatchNetwork::RunBatch(std::span<const PatchPass> passes) {
  for (const PatchPass& pass : passes) NNSEG_RETURN_IF_ERROR(Run(pass.input, pass.output));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<VolumeWindow>> PatchNetwork::OpenWindow(const WindowRequest&) {
  return nullptr;
}

int64_t PatchNetwork::WindowBytes(const WindowShape&) const { return 0; }

}  // namespace nnseg
