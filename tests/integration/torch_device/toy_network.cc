#include "tests/integration/torch_device/toy_network.h"

#include <ATen/ops/linspace.h>
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

void WriteConvolution(const std::string& file, double gain) {
  torch::jit::Module convolution("convolution");
  const at::Tensor weight = at::linspace(-1, 1, 81).view({3, 1, 3, 3, 3});
  convolution.register_parameter("weight", weight.mul(gain), /*is_buffer=*/false);
  convolution.register_parameter("bias", at::linspace(-1, 1, 3), /*is_buffer=*/false);
  convolution.define(R"(
def forward(self, x):
    return torch.conv3d(x, self.weight, self.bias, padding=1)
)");
  torch::jit::Module module("network");
  module.register_module("convolution", convolution);
  module.define(R"(
def forward(self, x):
    return self.convolution.forward(x)
)");
  module.save(file);
}

PatchSignature ToySignature(const Shape3& patch_size, int patch_dimensions) {
  return {.input_channels = 1,
          .output_channels = 3,
          .patch_size = patch_size,
          .patch_dimensions = patch_dimensions};
}

}  // namespace nnseg
