#include "tests/integration/engines/engine_contract.h"

#include <xmmintrin.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr unsigned kFlushSubnormals = 0x8040;  // flush-to-zero and denormals-are-zero

std::unique_ptr<PatchNetwork> LoadExample() {
  const EngineUnderTest& engine = testing::TestWithParam<EngineUnderTest>::GetParam();
  absl::StatusOr<std::unique_ptr<PatchNetwork>> network =
      engine.make_loader()->Load(ExampleFile(engine.file), kExampleSignature, engine.precision);
  NNSEG_EXPECT_OK(network);
  return network.ok() ? *std::move(network) : nullptr;
}

TEST_P(EngineContract, NamesItself) {
  const std::shared_ptr<NetworkLoader> loader = GetParam().make_loader();
  EXPECT_EQ(loader->engine(), GetParam().name);
  EXPECT_EQ(loader->device(), "cpu");
  const std::unique_ptr<PatchNetwork> network = LoadExample();
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->engine(), GetParam().name);
  EXPECT_EQ(network->precision(), GetParam().precision);
  EXPECT_EQ(network->signature(), kExampleSignature);
}

TEST_P(EngineContract, EveryPassGivesTheSameBitsAndLeavesItsInputAlone) {
  const std::unique_ptr<PatchNetwork> network = LoadExample();
  ASSERT_NE(network, nullptr);
  std::vector<float> patch = ExamplePatch();
  const std::vector<float> first = RunOnce(*network, patch);
  EXPECT_NE(first, std::vector<float>(first.size(), first[0]));
  for (int pass = 1; pass < 4; ++pass) {
    // Other buffers, so that nothing may be remembered by address, and one that is not aligned.
    std::vector<float> unaligned(patch.size() + 1);
    std::copy(patch.begin(), patch.end(), unaligned.begin() + 1);
    std::vector<float> logits(first.size() + 1);
    NNSEG_ASSERT_OK(network->Run(std::span(unaligned).subspan(1), std::span(logits).subspan(1)));
    EXPECT_TRUE(std::equal(first.begin(), first.end(), logits.begin() + 1)) << "pass " << pass;
    EXPECT_TRUE(std::equal(patch.begin(), patch.end(), unaligned.begin() + 1)) << "pass " << pass;
  }
}

TEST_P(EngineContract, TwoNetworksOfOneFileAgree) {
  const std::unique_ptr<PatchNetwork> a = LoadExample();
  const std::unique_ptr<PatchNetwork> b = LoadExample();
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(RunOnce(*a, ExamplePatch()), RunOnce(*b, ExamplePatch()));
}

TEST_P(EngineContract, TheCallersFloatingPointModeIsLeftAsFound) {
  const unsigned before = _mm_getcsr();
  for (const unsigned mode : {before & ~kFlushSubnormals, before | kFlushSubnormals}) {
    _mm_setcsr(mode);
    const std::unique_ptr<PatchNetwork> network = LoadExample();
    const unsigned after_load = _mm_getcsr();
    _mm_setcsr(mode);
    if (network != nullptr) RunOnce(*network, ExamplePatch());
    const unsigned after_run = _mm_getcsr();
    _mm_setcsr(before);
    EXPECT_EQ(after_load & kFlushSubnormals, mode & kFlushSubnormals);
    EXPECT_EQ(after_run & kFlushSubnormals, mode & kFlushSubnormals);
  }
}

TEST_P(EngineContract, AnotherSignatureIsRefused) {
  const std::shared_ptr<NetworkLoader> loader = GetParam().make_loader();
  PatchSignature more_channels = kExampleSignature;
  more_channels.input_channels = 2;
  PatchSignature more_labels = kExampleSignature;
  more_labels.output_channels = 6;
  PatchSignature odd_patch = kExampleSignature;
  odd_patch.patch_size = {{64, 64, 60}};  // not a multiple of the network's strides
  for (const PatchSignature& signature : {more_channels, more_labels, odd_patch}) {
    EXPECT_THAT(loader->Load(ExampleFile(GetParam().file), signature, GetParam().precision),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith(GetParam().file + ": "), Not(HasSubstr("/")),
                               Not(HasSubstr("\n")))));
  }
}

TEST_P(EngineContract, AFileThatIsNoNetworkIsRefusedWithItsName) {
  const TemporaryFolder folder;
  const std::string name = "garbage" + std::filesystem::path(GetParam().file).extension().string();
  for (const std::string& content : {std::string("no network"), std::string()}) {
    std::ofstream(folder.path() / name, std::ios::binary) << content;
    EXPECT_THAT(GetParam().make_loader()->Load((folder.path() / name).string(), kExampleSignature,
                                               GetParam().precision),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith(name + ": " + GetParam().name + ": "),
                               Not(HasSubstr("/")), Not(HasSubstr("\n")))));
  }
  EXPECT_THAT(GetParam().make_loader()->Load((folder.path() / "missing").string(),
                                             kExampleSignature, GetParam().precision),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(StartsWith("missing: "), Not(HasSubstr("/")))));
}

TEST_P(EngineContract, BuffersOfAnotherSizeAreRefusedAndTheNetworkStaysUsable) {
  const std::unique_ptr<PatchNetwork> network = LoadExample();
  ASSERT_NE(network, nullptr);
  const std::vector<float> patch = ExamplePatch();
  std::vector<float> logits(static_cast<std::size_t>(kExampleSignature.output_size()));
  EXPECT_THAT(network->Run(std::span(patch).first(100), logits),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("a pass got 100 and 1310720")));
  EXPECT_THAT(network->Run(patch, std::span(logits).first(7)),
              StatusIs(absl::StatusCode::kInternal));
  NNSEG_EXPECT_OK(network->Run(patch, logits));
}

TEST_P(EngineContract, NonFiniteInputBringsNothingDown) {
  const std::unique_ptr<PatchNetwork> network = LoadExample();
  ASSERT_NE(network, nullptr);
  std::vector<float> patch = ExamplePatch();
  const std::vector<float> before = RunOnce(*network, patch);
  std::vector<float> spoiled = patch;
  spoiled[1000] = std::numeric_limits<float>::quiet_NaN();
  spoiled[2000] = std::numeric_limits<float>::infinity();
  RunOnce(*network, spoiled);
  EXPECT_EQ(RunOnce(*network, patch), before);
}

}  // namespace

// A precision that this host lacks is refused with the reason, and nothing more can be shown.
void EngineContract::SetUp() {
  const std::shared_ptr<NetworkLoader> loader = GetParam().make_loader();
  const absl::Status supported = loader->Supports(GetParam().precision);
  if (supported.ok()) return;
  EXPECT_NE(GetParam().precision, "fp32");
  EXPECT_THAT(loader->Load(ExampleFile(GetParam().file), kExampleSignature, GetParam().precision),
              StatusIs(absl::StatusCode::kFailedPrecondition, std::string(supported.message())));
  GTEST_SKIP() << supported.message();
}

}  // namespace nnseg
