#include "tests/support/fake_patch_network.h"

#include <xmmintrin.h>

#include <algorithm>

#include "core/base/check.h"

namespace nnseg {

absl::Status FakePatchNetwork::Run(std::span<const float> input, std::span<float> output) {
  NNSEG_CHECK(static_cast<int64_t>(input.size()) == signature_.input_size());
  NNSEG_CHECK(static_cast<int64_t>(output.size()) == signature_.output_size());
  const int run = runs_.fetch_add(1);
  if (on_run_) on_run_(run);
  if (flush_subnormals_) _mm_setcsr(_mm_getcsr() | 0x8040);
  if (fail_from_ >= 0 && run >= fail_from_) return failure_;

  const Shape3& patch = signature_.patch_size;
  for (int64_t k = 0; k < signature_.output_channels; ++k) {
    const float scale = 0.5F + 0.625F * static_cast<float>(k) - 0.25F * static_cast<float>(fold_);
    const float offset = 0.125F * static_cast<float>(k) - 0.0625F * static_cast<float>(fold_);
    const float* x = input.data() + (k % signature_.input_channels) * patch.voxels();
    float* y = output.data() + k * patch.voxels();
    const auto source = [&](int64_t i, int64_t shift, int axis) {
      return (i + patch[axis] - shift % patch[axis]) % patch[axis];
    };
    for (int64_t i0 = 0; i0 < patch[0]; ++i0) {
      for (int64_t i1 = 0; i1 < patch[1]; ++i1) {
        const float* row = x + (source(i0, k, 0) * patch[1] + source(i1, k + 1, 1)) * patch[2];
        for (int64_t i2 = 0; i2 < patch[2]; ++i2) {
          *y++ = row[source(i2, 2 * k, 2)] * scale + offset;
        }
      }
    }
  }
  if (forced_) {
    const auto channel = output.subspan(forced_->channel * patch.voxels(), patch.voxels());
    std::fill(channel.begin(), channel.end(), forced_->value);
  }
  return absl::OkStatus();
}

absl::Status FakePatchNetwork::RunBatch(std::span<const PatchPass> passes) {
  batches_.push_back(static_cast<int64_t>(passes.size()));
  if (batches_.back() > room_) return absl::ResourceExhaustedError("out of memory");
  return PatchNetwork::RunBatch(passes);
}

absl::StatusOr<std::unique_ptr<VolumeWindow>> FakePatchNetwork::OpenWindow(const WindowRequest&) {
  ++windows_;
  return nullptr;
}

void FakePatchNetwork::FailFrom(int pass, absl::Status status) {
  fail_from_ = pass;
  failure_ = std::move(status);
}

void Gate::Wait() {
  std::unique_lock lock(mu_);
  ++arrivals_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return open_; });
}

void Gate::Open() {
  std::lock_guard lock(mu_);
  open_ = true;
  changed_.notify_all();
}

void Gate::AwaitArrivals(int count) {
  std::unique_lock lock(mu_);
  changed_.wait(lock, [&] { return arrivals_ >= count; });
}

}  // namespace nnseg
