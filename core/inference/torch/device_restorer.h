#ifndef NNSEG_CORE_INFERENCE_TORCH_DEVICE_RESTORER_H_
#define NNSEG_CORE_INFERENCE_TORCH_DEVICE_RESTORER_H_

#include <cstdint>
#include <memory>

#include "core/geometry/index.h"
#include "core/inference/label_rule.h"
#include "core/inference/torch/device_stream.h"

namespace nnseg {

/// Turns planes of logits on a device into labels there, with the bits of core/restore: each logit
/// is scipy's sum over taps in double precision, ((v * w_axis0) * w_axis1) * w_axis2 in C order,
/// rounded once to half (nnU-Net 2.8.1, inference/export_prediction). Only labels leave the device.
/// It holds the planes that later labels still need, and some planes of interpolated logits.
///
/// Used inside of DeviceStream::Run; throws what torch throws.
class DeviceRestorer {
 public:
  DeviceRestorer(LabelRule rule, DeviceStream& stream);
  ~DeviceRestorer();

  /// Device bytes that it holds at its peak, beside what Add is given: for logits that come in
  /// `planes` (planes x axis 1 x axis 2) at most and lead to labels of `labels` voxels.
  static int64_t Bytes(int64_t channels, const Shape3& planes, const Shape3& labels);

  /// Takes the next planes of logits, half-precision (channels x planes x axis 1 x axis 2) on the
  /// device, and returns the labels that they complete; perhaps none.
  LabelPlanes Add(const at::Tensor& logits);

 private:
  struct State;

  const LabelRule rule_;
  DeviceStream& stream_;
  std::unique_ptr<State> state_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_DEVICE_RESTORER_H_
