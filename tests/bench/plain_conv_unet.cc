#include "tests/bench/plain_conv_unet.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>

#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace nnseg {
namespace {

using torch::jit::Module;

constexpr std::array<int64_t, 6> kFeatures{32, 64, 128, 256, 320, 320};

// A convolution, or one that doubles the size; weights that keep the variance.
Module Convolution(int64_t from, int64_t to, int64_t kernel, int64_t stride, bool transposed) {
  Module module(transposed ? "up" : "convolution");
  std::vector<int64_t> shape(5, kernel);
  shape[0] = transposed ? from : to;
  shape[1] = transposed ? to : from;
  const double fan = static_cast<double>(from * (transposed ? 1 : kernel * kernel * kernel));
  module.register_parameter("weight", at::randn(shape).mul(std::sqrt(2.0 / fan)), false);
  module.register_parameter("bias", at::zeros({to}), false);
  module.define(transposed ? absl::Substitute(R"(
def forward(self, x):
    return torch.conv_transpose3d(x, self.weight, self.bias, stride=[$0, $0, $0])
)",
                                              stride)
                           : absl::Substitute(R"(
def forward(self, x):
    return torch.conv3d(x, self.weight, self.bias, stride=[$0, $0, $0], padding=[$1, $1, $1])
)",
                                              stride, kernel / 2));
  return module;
}

// Convolution, instance norm, leaky ReLU.
Module Block(int64_t from, int64_t to, int64_t stride) {
  Module module("block");
  module.register_module("convolution", Convolution(from, to, 3, stride, false));
  module.register_parameter("scale", at::ones({to}), false);
  module.register_parameter("shift", at::zeros({to}), false);
  module.define(R"(
def forward(self, x):
    y = self.convolution.forward(x)
    y = torch.instance_norm(y, self.scale, self.shift, None, None, True, 0.1, 0.00001, True)
    return torch.leaky_relu_(y, 0.01)
)");
  return module;
}

}  // namespace

void WritePlainConvUNet(const std::string& file, int64_t input_channels, int64_t output_channels) {
  Module network("PlainConvUNet");
  std::string forward = "def forward(self, x):\n";
  constexpr int kStages = kFeatures.size();
  for (int i = 0; i < kStages; ++i) {
    const int64_t from = i == 0 ? input_channels : kFeatures[i - 1];
    network.register_module(absl::StrCat("down", i), Block(from, kFeatures[i], i == 0 ? 1 : 2));
    network.register_module(absl::StrCat("stage", i), Block(kFeatures[i], kFeatures[i], 1));
    absl::SubstituteAndAppend(&forward, "    s$0 = self.stage$0.forward(self.down$0.forward($1))\n",
                              i, i == 0 ? "x" : absl::StrCat("s", i - 1));
  }
  absl::StrAppend(&forward, "    y = s", kStages - 1, "\n");
  for (int i = kStages - 2; i >= 0; --i) {
    const int64_t features = kFeatures[i];
    network.register_module(absl::StrCat("up", i),
                            Convolution(kFeatures[i + 1], features, 2, 2, true));
    network.register_module(absl::StrCat("join", i), Block(2 * features, features, 1));
    network.register_module(absl::StrCat("decode", i), Block(features, features, 1));
    absl::SubstituteAndAppend(&forward,
                              "    y = torch.cat([self.up$0.forward(y), s$0], 1)\n"
                              "    y = self.decode$0.forward(self.join$0.forward(y))\n",
                              i);
  }
  network.register_module("head", Convolution(kFeatures[0], output_channels, 1, 1, false));
  network.define(forward + "    return self.head.forward(y)\n");
  network.save(file);
}

}  // namespace nnseg
