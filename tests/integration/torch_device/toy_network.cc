#include "tests/integration/torch_device/toy_network.h"

#include <torch/csrc/jit/api/module.h>

#include "absl/strings/substitute.h"

namespace nnseg {

void WriteToyNetwork(const std::string& file, int patch_dimensions, double gain, int fails_at) {
  torch::jit::Module module("toy");
  module.register_attribute("calls", c10::IntType::get(), 0);
  module.define(absl::Substitute(R"(
def forward(self, x):
    self.calls += 1
    assert self.calls != $1, "can't allocate memory"
    before = torch.roll(x, [1], [2])
    behind = torch.roll(x, [-2], [$2])
    return torch.cat([x, $0 * before, behind - 0.25 * x], 1)
)",
                                 gain, fails_at, patch_dimensions + 1));
  module.save(file);
}

PatchSignature ToySignature(const Shape3& patch_size, int patch_dimensions) {
  return {.input_channels = 1,
          .output_channels = 3,
          .patch_size = patch_size,
          .patch_dimensions = patch_dimensions};
}

}  // namespace nnseg
