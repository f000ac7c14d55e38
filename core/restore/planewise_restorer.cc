#include "core/restore/planewise_restorer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"

namespace nnseg {

absl::Status PlanewiseRestorer::Add(LogitSlab slab) {
  const Shape3& shape = slab.logits.shape();
  const Shape3 whole = boxes().logits.shape();
  slab.begin = slab.begin - boxes().logits.begin;
  NNSEG_CHECK((slab.begin == Index3{{last_.end(), 0, 0}}));
  NNSEG_CHECK(slab.logits.channels() == plan().labels.output_channels());
  NNSEG_CHECK(shape[1] == whole[1] && shape[2] == whole[2]);
  const ScopedSubnormals subnormals;
  last_ = std::move(slab);
  Arrived(last_.begin[0], last_.end());
  const int64_t planes = boxes().image.shape()[0];
  int64_t ready = emitted_;
  while (ready < planes && InputPlanes(ready).back() < last_.end()) ++ready;
  if (ready > emitted_) {
    if (absl::Status status = Emit(emitted_, ready); !status.ok()) return status;
    emitted_ = ready;
  }
  // Nearest sampling may pass over planes that are yet to come.
  const int64_t needed = ready < planes ? InputPlanes(ready).front() : last_.end();
  Keep(std::min(needed, last_.end()));
  return absl::OkStatus();
}

absl::Status PlanewiseRestorer::Finish() {
  if (emitted_ == boxes().image.shape()[0]) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("logits ended at plane ", last_.end(), ", expected ",
                                          boxes().logits.shape()[0]));
}

void PlanewiseRestorer::Emitted(int64_t begin, int64_t end) {
  NNSEG_CHECK(begin == emitted_ && end <= boxes().image.shape()[0]);
  emitted_ = end;
}

LogitPlane PlanewiseRestorer::Plane(int64_t index) const {
  const LogitSlab& slab = index >= last_.begin[0] ? last_ : kept_;
  NNSEG_CHECK(index >= slab.begin[0] && index < slab.end());
  return {&slab.logits.at(0, {{index - slab.begin[0], 0, 0}}), slab.logits.shape().voxels()};
}

void PlanewiseRestorer::Keep(int64_t begin) {
  const int64_t count = last_.end() - begin;
  const Shape3 whole = boxes().logits.shape();
  const Shape3 shape{{count, whole[1], whole[2]}};
  LogitSlab kept{{{begin, 0, 0}},
                 Volume<Half>::Uninitialized(plan().labels.output_channels(), shape)};
  for (int64_t i = 0; i < count; ++i) {
    const LogitPlane plane = Plane(begin + i);
    for (int64_t c = 0; c < kept.logits.channels(); ++c) {
      std::copy_n(plane.channel(c), shape[1] * shape[2], &kept.logits.at(c, {{i, 0, 0}}));
    }
  }
  kept_ = std::move(kept);
  const int64_t end = last_.end();
  last_ = LogitSlab{};
  last_.begin[0] = end;
}

}  // namespace nnseg
