#ifndef NNSEG_CORE_INFERENCE_TORCH_INSTANCE_NORM_H_
#define NNSEG_CORE_INFERENCE_TORCH_INSTANCE_NORM_H_

namespace nnseg {

/// From now on torch's instance norm takes the sums of several channels beside each other, for
/// float tensors in the host's memory. Torch takes one after another, and each addition waits for
/// the one before. Every sum is in torch's own order and precision, so all bits stay. Thread-safe.
void InterleaveInstanceNorm();

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_TORCH_INSTANCE_NORM_H_
