#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/inference/torch/network_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/engines/engine_contract.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

std::shared_ptr<NetworkLoader> MakeLoader() {
  SetTorchThreads(kEngineThreads);
  return *MakeTorchLoader("cpu");
}

INSTANTIATE_TEST_SUITE_P(Torch, EngineContract,
                         testing::Values(EngineUnderTest{"torch", "fold_0.pt", MakeLoader}));

/// What make_golden.py wrote: `size` logits, every 4th voxel along each axis of each channel.
std::vector<float> ReadGolden(const std::string& name, std::size_t size) {
  std::ifstream file(DataFile("engines/" + name), std::ios::binary);
  std::vector<float> logits(size);
  const auto bytes = static_cast<std::streamsize>(size * sizeof(float));
  file.read(reinterpret_cast<char*>(logits.data()), bytes);
  EXPECT_EQ(file.gcount(), bytes);
  return logits;
}

/// Every 4th voxel along each axis of each channel.
std::vector<float> Thinned(const std::vector<float>& logits, const PatchSignature& signature) {
  const Shape3& patch = signature.patch_size;
  std::vector<float> thinned;
  for (int64_t k = 0; k < signature.output_channels; ++k) {
    for (int64_t z = 0; z < patch[0]; z += 4) {
      for (int64_t y = 0; y < patch[1]; y += 4) {
        for (int64_t x = 0; x < patch[2]; x += 4) {
          thinned.push_back(logits[((k * patch[0] + z) * patch[1] + y) * patch[2] + x]);
        }
      }
    }
  }
  return thinned;
}

/// The last bits depend on the CPU that the golden was made on.
void ExpectCloseToGolden(const std::vector<float>& logits, const std::string& name) {
  const std::vector<float> golden = ReadGolden(name, logits.size());
  const auto [low, high] = std::minmax_element(golden.begin(), golden.end());
  float worst = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::abs(logits[i] - golden[i]));
  }
  testing::Test::RecordProperty("largest_difference", std::to_string(worst));
  EXPECT_LE(worst, 1e-4F * (*high - *low));
}

TEST(TorchEngine, LogitsAreThoseOfEagerTorch) {
  const auto network = MakeLoader()->Load(ExampleFile("fold_0.pt"), kExampleSignature, "fp32");
  NNSEG_ASSERT_OK(network);
  ExpectCloseToGolden(Thinned(RunOnce(**network, ExamplePatch()), kExampleSignature),
                      "brain_t1_fold_0_logits.f32");
}

TEST(TorchEngine, LogitsOfSlicesAreThoseOfEagerTorch) {
  const auto network =
      MakeLoader()->Load(DataFile("models/photo-2d/1/fold_0.pt"), kSliceSignature, "fp32");
  NNSEG_ASSERT_OK(network);
  ExpectCloseToGolden(Thinned(RunOnce(**network, SlicePatch()), kSliceSignature),
                      "photo_2d_fold_0_logits.f32");
}

TEST(TorchEngine, ANetworkOfSlicesIsNoneOfVolumes) {
  PatchSignature volumes = kSliceSignature;
  volumes.patch_dimensions = 3;
  EXPECT_THAT(MakeLoader()->Load(DataFile("models/photo-2d/1/fold_0.pt"), volumes, "fp32"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TorchEngine, DevicesAreNamedAndChecked) {
  EXPECT_EQ((*MakeTorchLoader("cpu"))->device(), "cpu");
  for (const char* name : {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CUDA"}) {
    EXPECT_THAT(MakeTorchLoader(name), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("expected 'cpu' or 'cuda:N'")))
        << name;
  }
  EXPECT_THAT(MakeTorchLoader("cuda:1000"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::StartsWith("device is 'cuda:1000', but torch finds ")));
}

int ThreadsOfThisProcess() {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                                        std::filesystem::directory_iterator()));
}

// Waits until the threads of teams that have ended are gone: they leave on their own time.
bool EventuallyHasThreads(int expected) {
  for (int i = 0; i < 500 && ThreadsOfThisProcess() != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return ThreadsOfThisProcess() == expected;
}

TEST(TorchEngine, UsesTheThreadsItIsGiven) {
  const auto network = MakeLoader()->Load(ExampleFile("fold_0.pt"), kExampleSignature, "fp32");
  NNSEG_ASSERT_OK(network);
  const auto run_on_own_thread = [&](int threads, const std::function<void()>& then) {
    std::thread([&] {
      SetTorchThreads(threads);
      RunOnce(**network, ExamplePatch());
      then();
    }).join();
  };
  // A team of one: what is there besides helpers, this thread and the device's.
  int alone = 0;
  run_on_own_thread(1, [&] {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    alone = ThreadsOfThisProcess();
  });
  for (const int threads : {1, 2, 3}) {
    run_on_own_thread(threads, [&] {
      EXPECT_TRUE(EventuallyHasThreads(alone + threads - 1))
          << threads << " threads: got " << ThreadsOfThisProcess() - alone << " helpers, expected "
          << threads - 1;
    });
  }
}

TEST(TorchEngine, OneOpenMpRuntimeIsMapped) {
  MakeLoader();
  std::vector<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::string file = line.substr(line.rfind('/') + 1);
    const bool is_runtime = file.rfind("libgomp", 0) == 0 || file.rfind("libomp", 0) == 0 ||
                            file.rfind("libiomp", 0) == 0;
    const std::string path = line.substr(std::min(line.find('/'), line.size()));
    if (is_runtime && std::find(runtimes.begin(), runtimes.end(), path) == runtimes.end()) {
      runtimes.push_back(path);
    }
  }
  EXPECT_THAT(runtimes, testing::SizeIs(1));
}

}  // namespace
}  // namespace nnseg
