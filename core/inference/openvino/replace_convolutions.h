#ifndef NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_
#define NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_

#include "core/convolution/tile_product.h"

namespace ov {
class Model;
}  // namespace ov

namespace nnseg {

/// Puts our own convolutions (core/convolution), their factors in `products`, into a model whose
/// values are fp32: for a convolution with its bias, the instance normalisation (OpenVINO's or as
/// the exporter writes it, by averages of pools), the leaky ReLU after it and the concatenation
/// before it; and for transposed convolutions. Convolutions that OpenVINO computes faster stay.
/// Returns how many there were. REQUIRES: HasProducts(products).
int ReplaceConvolutions(ov::Model& model, ProductPrecision products);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_OPENVINO_REPLACE_CONVOLUTIONS_H_
