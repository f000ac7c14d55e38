#ifndef NNSEG_CORE_INFERENCE_PATCH_NETWORK_H_
#define NNSEG_CORE_INFERENCE_PATCH_NETWORK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/geometry/index.h"
#include "core/inference/pass_record.h"

namespace nnseg {

class VolumeWindow;
struct WindowRequest;
struct WindowShape;

/// The fixed shapes of a patch network.
struct PatchSignature {
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  Shape3 patch_size{};       ///< internal axes
  int patch_dimensions = 3;  ///< 2: the network takes (channels, rows, columns), patch_size[0] is 1

  int64_t input_size() const { return input_channels * patch_size.voxels(); }
  int64_t output_size() const { return output_channels * patch_size.voxels(); }
  bool operator==(const PatchSignature&) const = default;
};

/// The buffers of one forward pass, as PatchNetwork::Run takes them.
struct PatchPass {
  std::span<const float> input;
  std::span<float> output;
};

/// One fold of a model, resident on one device, behind whatever engine runs it.
///
/// Not thread-safe: only the device's TileScheduler thread calls Run, RunBatch and ReleaseCaches.
class PatchNetwork {
 public:
  virtual ~PatchNetwork() = default;

  virtual const PatchSignature& signature() const = 0;
  /// "torch" or "openvino".
  virtual std::string engine() const = 0;
  /// Arithmetic of the network: "fp32", "bf16", "int8", "int8_bf16", "fp16".
  virtual std::string precision() const = 0;

  /// One forward pass, batch 1: `input` is (channels, patch), `output` receives the logits
  /// (output channels, patch), both dense C order. INTERNAL or RESOURCE_EXHAUSTED with the engine's
  /// first line of text when it fails; the network stays usable.
  virtual absl::Status Run(std::span<const float> input, std::span<float> output) = 0;

  /// Passes that RunBatch may take at once; 1 where the device gains nothing by more.
  virtual int64_t max_batch() const { return 1; }
  /// Several passes as one batch: 1 to max_batch(). Errors as Run, for all of them.
  virtual absl::Status RunBatch(std::span<const PatchPass> passes);
  /// Gives back device memory that the engine holds beyond the weights: a pass that ran out of
  /// memory is then tried once more.
  virtual void ReleaseCaches() {}

  /// Whether whole volumes can stay on the network's device (volume_window.h).
  virtual bool keeps_volumes() const { return false; }
  /// Opens a window for a volume and folds like this one; null when the folds do not fit together.
  /// For the device's thread. RESOURCE_EXHAUSTED when the device has not the memory, INTERNAL as
  /// Run. REQUIRES: keeps_volumes().
  virtual absl::StatusOr<std::unique_ptr<VolumeWindow>> OpenWindow(const WindowRequest& request);
  /// Device bytes that such a window holds at its peak, beside the networks and their passes; 0
  /// where no window can be opened. Callable from any thread.
  virtual int64_t WindowBytes(const WindowShape& shape) const;

  /// How passes have gone so far. Callable from any thread.
  virtual PassRecord& record() { return record_; }

 private:
  PassRecord record_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_PATCH_NETWORK_H_
