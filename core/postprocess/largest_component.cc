#include "core/postprocess/largest_component.h"

#include <algorithm>
#include <limits>

#include "core/base/parallel_for.h"
#include "core/postprocess/connected_components.h"

namespace nnseg {
namespace {

LabelSet SetOf(const std::vector<int>& labels) {
  LabelSet set;
  for (const int label : labels) {
    if (label < 0 || label > std::numeric_limits<uint16_t>::max()) continue;
    if (set.size() <= static_cast<std::size_t>(label)) set.resize(label + 1);
    set[label] = true;
  }
  return set;
}

}  // namespace

void KeepLargestComponent(const LargestComponentRule& rule, Volume<uint16_t>& labels) {
  const ConnectedComponents components(labels, SetOf(rule.labels));
  const auto background = static_cast<uint16_t>(rule.background);
  ParallelFor(components.rows(), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint16_t* const voxels = labels.voxels().data() + row * components.shape()[2];
      for (uint32_t i = components.first_run(row); i < components.first_run(row + 1); ++i) {
        if (components.component_size(i) == components.largest_size()) continue;
        const Run& run = components.runs()[i];
        std::fill(voxels + run.begin, voxels + run.end, background);
      }
    }
  });
}

}  // namespace nnseg
