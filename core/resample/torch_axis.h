#ifndef NNSEG_CORE_RESAMPLE_TORCH_AXIS_H_
#define NNSEG_CORE_RESAMPLE_TORCH_AXIS_H_

#include <cmath>
#include <cstdint>
#include <vector>

namespace nnseg {

/// What torch's interpolation does along one axis: output sample k is made of the samples lower[k]
/// and upper[k] with the weights weight0[k] and weight1[k]. Indices and weights have the bits of
/// torch 2.15 on x86-64 with AVX2 or AVX-512 (align_corners=False).
struct TorchAxis {
  std::vector<int32_t> lower, upper;
  std::vector<float> weight0, weight1;
  /// Each output sample is one input sample: lower == upper, weights 1 and 0.
  bool picks = false;

  int64_t output_length() const { return static_cast<int64_t>(lower.size()); }

  /// Linear interpolation from `input` to `output` samples. torch's kernels round the coordinate
  /// either once (`fused`) or after the product too. Equal lengths pick. REQUIRES: both >= 1.
  static TorchAxis Linear(int64_t input, int64_t output, bool fused);
  /// Mode "nearest-exact". REQUIRES: both >= 1.
  static TorchAxis NearestExact(int64_t input, int64_t output);
  /// The outputs [begin, end) of this one, from an input whose first sample is `input_begin`.
  TorchAxis Part(int64_t begin, int64_t end, int64_t input_begin) const;
};

/// One step of torch's interpolation axis by axis, innermost axis first.
inline float TorchLerp(float lower, float upper, float weight0, float weight1) {
  return std::fma(lower, weight0, upper * weight1);
}

/// The four samples of a slice, or their weights: [outer axis][inner axis].
struct TorchQuad {
  float v00, v01, v10, v11;
};

/// Weights of the four samples that output sample (`j`, `i`) is made of.
inline TorchQuad TorchQuadWeights(const TorchAxis& outer, int64_t j, const TorchAxis& inner,
                                  int64_t i) {
  return {outer.weight0[j] * inner.weight0[i], outer.weight0[j] * inner.weight1[i],
          outer.weight1[j] * inner.weight0[i], outer.weight1[j] * inner.weight1[i]};
}

/// torch's sum for small slices, which it takes eight at a time: `whole_vector` is true for the
/// slices of a full eight and false for the remaining ones.
inline float TorchBilinear(const TorchQuad& v, const TorchQuad& w, bool whole_vector) {
  if (whole_vector) {
    return std::fma(v.v00, w.v00, std::fma(v.v01, w.v01, std::fma(v.v11, w.v11, v.v10 * w.v10)));
  }
  return std::fma(v.v11, w.v11, std::fma(v.v10, w.v10, std::fma(v.v00, w.v00, v.v01 * w.v01)));
}

}  // namespace nnseg

#endif  // NNSEG_CORE_RESAMPLE_TORCH_AXIS_H_
