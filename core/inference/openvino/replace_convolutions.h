#ifndef NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_

namespace ov {
class Model;
}  // namespace ov

namespace nnseg {

/// Puts our own convolutions (core/convolution) into a model in fp32 where they are faster: for a
/// convolution with its bias, the instance normalisation as the exporter writes it (by averages of
/// pools), the leaky ReLU after it and the concatenation before it; and for transposed
/// convolutions. Returns how many there were.
int ReplaceConvolutions(ov::Model& model);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_
