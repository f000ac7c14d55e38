#ifndef NNSEG_CORE_INFERENCE_TORCH_SCRIPT_FORWARD_H_
#define NNSEG_CORE_INFERENCE_TORCH_SCRIPT_FORWARD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/inference/patch_network.h"
#include "core/inference/torch/device_stream.h"

namespace nnseg {

/// A TorchScript network on a device, as tensors see it: a batch of patches in, their logits out.
/// In fp32, or in fp16 as nnU-Net runs on CUDA: under torch's autocast, with the convolutions'
/// weights converted once beforehand.
///
/// All of it is used inside of DeviceStream::Run and throws what torch throws.
class ScriptForward {
 public:
  /// Reads `file` onto the stream's device, in fp32.
  ScriptForward(const std::string& file, const PatchSignature& signature, DeviceStream& stream);
  ~ScriptForward();

  DeviceStream& stream() { return stream_; }
  bool is_half() const { return half_; }
  /// To fp16. There is no way back.
  void ToHalf();

  /// Shape of a batch with `channels` channels: batch x channels x patch in its own dimensions.
  std::vector<int64_t> BatchShape(int64_t batch, int64_t channels) const;

  /// The logits of a float batch of BatchShape: float in fp32, half in fp16. Where a graph was
  /// recorded they are overwritten by the next call with the same batch.
  at::Tensor Run(const at::Tensor& batch);

  /// Bytes that stay on the device between passes: weights, and what recordings read and write.
  int64_t ResidentBytes() const;

  /// Chooses the memory layout that is faster on this device, by timing a batch of one in each.
  void ChooseLayout();
  /// Records a pass of `batch` patches, so that Run with that batch replays it without launching
  /// its kernels one by one. Returns torch's reason when it cannot; passes then run as before.
  std::string RecordGraph(int64_t batch);

 private:
  struct Graph;
  struct State;

  at::Tensor Launch(const at::Tensor& batch);
  void SetLayout(bool channels_last);
  // Calls change(tensor) for each weight and bias of the convolutions, and stores what it returns.
  void ReplaceWeights(const std::function<at::Tensor(const at::Tensor&)>& change);

  const PatchSignature signature_;
  DeviceStream& stream_;
  bool half_ = false;
  std::unique_ptr<State> state_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_SCRIPT_FORWARD_H_
