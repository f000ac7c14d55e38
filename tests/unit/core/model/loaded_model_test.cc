#include "core/model/loaded_model.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// Another engine, which the tiny bundle has no files for.
class OtherLoader : public FakeNetworkLoader {
 public:
  std::string engine() const override { return "other"; }
};

class LoadedModelTest : public testing::Test {
 protected:
  Engine MakeEngine(std::shared_ptr<NetworkLoader> loader) const {
    return {std::move(loader), scheduler_};
  }
  ModelBundle Bundle(const TinyBundleOptions& options = {}) {
    return *ReadModelBundle(WriteTinyBundle(repository_.path(), options));
  }

  TemporaryFolder repository_;
  const std::shared_ptr<TileScheduler> scheduler_ = std::make_shared<TileScheduler>();
};

TEST_F(LoadedModelTest, EveryFoldIsResidentAndHasRunOnce) {
  std::vector<FakePatchNetwork*> networks;
  const auto loader = std::make_shared<FakeNetworkLoader>(
      [&](FakePatchNetwork& network) { networks.push_back(&network); });
  const auto model = LoadedModel::Load(Bundle(), {MakeEngine(loader)});
  NNSEG_ASSERT_OK(model);
  ASSERT_THAT(networks, SizeIs(2));
  for (const FakePatchNetwork* network : networks) {
    EXPECT_EQ(network->runs(), 1);
    EXPECT_EQ(network->signature(), (PatchSignature{1, 3, {{8, 8, 8}}}));
  }
  ASSERT_THAT((*model)->engines(), SizeIs(1));
  EXPECT_THAT((*model)->engines()[0].folds, SizeIs(2));
  EXPECT_EQ((*model)->bundle().manifest.name, "tiny");
}

TEST_F(LoadedModelTest, LoadingAndWarmUpHappenOnTheDeviceThread) {
  std::thread::id device;
  NNSEG_ASSERT_OK(scheduler_->RunOnDevice([&] {
    device = std::this_thread::get_id();
    return absl::OkStatus();
  }));
  std::vector<std::thread::id> seen;
  const auto loader = std::make_shared<FakeNetworkLoader>([&](FakePatchNetwork& network) {
    seen.push_back(std::this_thread::get_id());
    network.OnRun([&](int) { seen.push_back(std::this_thread::get_id()); });
  });
  NNSEG_ASSERT_OK(LoadedModel::Load(Bundle(), {MakeEngine(loader)}));
  EXPECT_THAT(seen, ElementsAre(device, device, device, device));
}

TEST_F(LoadedModelTest, AFailedWarmUpFailsTheModel) {
  const auto loader = std::make_shared<FakeNetworkLoader>([](FakePatchNetwork& network) {
    network.FailFrom(0, absl::ResourceExhaustedError("no memory"));
  });
  EXPECT_THAT(LoadedModel::Load(Bundle(), {MakeEngine(loader)}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no memory")));
}

TEST_F(LoadedModelTest, AHostWithoutAFittingEngineIsAFailedPrecondition) {
  EXPECT_THAT(LoadedModel::Load(Bundle(), {MakeEngine(std::make_shared<OtherLoader>())}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the bundle has files for torch, none of which this host offers"));
  EXPECT_THAT(LoadedModel::Load(Bundle(), {}), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(LoadedModelTest, AutoTakesTheFirstEngineThatTheBundleHasFilesFor) {
  const auto model =
      LoadedModel::Load(Bundle(), {MakeEngine(std::make_shared<OtherLoader>()),
                                   MakeEngine(std::make_shared<FakeNetworkLoader>())});
  NNSEG_ASSERT_OK(model);
  for (const char* engine : {"", "auto", "torch"}) {
    const auto selection = (*model)->Select(engine, {});
    NNSEG_ASSERT_OK(selection) << engine;
    EXPECT_EQ(selection->scheduler, scheduler_.get());
    EXPECT_THAT(selection->folds, ElementsAre("0", "1"));
    EXPECT_EQ(selection->networks[1], (*model)->engines()[0].folds[1].get());
  }
}

TEST_F(LoadedModelTest, FoldsAreSelectedInTheOrderAskedFor) {
  TinyBundleOptions options;
  options.folds = {"0", "2", "all"};
  const auto model =
      LoadedModel::Load(Bundle(options), {MakeEngine(std::make_shared<FakeNetworkLoader>())});
  NNSEG_ASSERT_OK(model);
  const auto selection = (*model)->Select("auto", {"all", "0"});
  NNSEG_ASSERT_OK(selection);
  const auto& folds = (*model)->engines()[0].folds;
  EXPECT_THAT(selection->networks, ElementsAre(folds[2].get(), folds[0].get()));
  EXPECT_THAT(selection->folds, ElementsAre("all", "0"));
}

TEST_F(LoadedModelTest, WhatDoesNotExistIsRefusedWithWhatDoes) {
  const auto model =
      LoadedModel::Load(Bundle(), {MakeEngine(std::make_shared<FakeNetworkLoader>())});
  NNSEG_ASSERT_OK(model);
  EXPECT_THAT((*model)->Select("openvino", {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "engine is 'openvino', expected one of: auto, torch"));
  EXPECT_THAT((*model)->Select("", {"7"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "fold is '7', expected one of: 0, 1"));
  EXPECT_THAT((*model)->Select("", {"1", "1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "fold '1' is named twice"));
}

}  // namespace
}  // namespace nnseg
