#ifndef NNSEG_CORE_BASE_FLOAT_ENVIRONMENT_H_
#define NNSEG_CORE_BASE_FLOAT_ENVIRONMENT_H_

namespace nnseg {

/// Keeps subnormal numbers on the calling thread while in scope and restores what it found.
///
/// Inference engines switch threads they touch to flush-to-zero; nnU-Net's half-precision sums need
/// subnormals. Everything that calls an engine or does voxel arithmetic holds one of these.
class ScopedSubnormals {
 public:
  ScopedSubnormals();
  ~ScopedSubnormals();
  ScopedSubnormals(const ScopedSubnormals&) = delete;
  ScopedSubnormals& operator=(const ScopedSubnormals&) = delete;

 private:
  unsigned saved_;
};

/// Whether the calling thread flushes subnormal results or inputs to zero.
bool FlushesSubnormals();

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_FLOAT_ENVIRONMENT_H_
