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
  ASSERT_THAT((*model)->networks().offered, SizeIs(1));
  EXPECT_THAT((*model)->networks().offered[0].folds, SizeIs(2));
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
    const auto selection = (*model)->Select(engine, "", {});
    NNSEG_ASSERT_OK(selection) << engine;
    EXPECT_EQ(selection->scheduler, scheduler_.get());
    EXPECT_THAT(selection->folds, ElementsAre("0", "1"));
    EXPECT_EQ(selection->networks[1], (*model)->networks().offered[0].folds[1].get());
  }
}

TEST_F(LoadedModelTest, FoldsAreSelectedInTheOrderAskedFor) {
  TinyBundleOptions options;
  options.folds = {"0", "2", "all"};
  const auto model =
      LoadedModel::Load(Bundle(options), {MakeEngine(std::make_shared<FakeNetworkLoader>())});
  NNSEG_ASSERT_OK(model);
  const auto selection = (*model)->Select("auto", "fp32", {"all", "0"});
  NNSEG_ASSERT_OK(selection);
  const auto& folds = (*model)->networks().offered[0].folds;
  EXPECT_THAT(selection->networks, ElementsAre(folds[2].get(), folds[0].get()));
  EXPECT_THAT(selection->folds, ElementsAre("all", "0"));
}

TEST_F(LoadedModelTest, WhatDoesNotExistIsRefusedWithWhatDoes) {
  const auto model =
      LoadedModel::Load(Bundle(), {MakeEngine(std::make_shared<FakeNetworkLoader>())});
  NNSEG_ASSERT_OK(model);
  EXPECT_THAT((*model)->Select("openvino", "", {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "engine is 'openvino', expected one of: auto, torch"));
  EXPECT_THAT((*model)->Select("", "", {"7"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "fold is '7', expected one of: 0, 1"));
  EXPECT_THAT((*model)->Select("", "", {"1", "1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "fold '1' is named twice"));
}

class ReferencesTest : public LoadedModelTest {
 protected:
  std::shared_ptr<const LoadedModel> Model(const TinyBundleOptions& options,
                                           LoadedModel::References references = {}) {
    auto model = Load(Bundle(options), std::move(references));
    NNSEG_EXPECT_OK(model);
    return *std::move(model);
  }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> Load(ModelBundle bundle,
                                                          LoadedModel::References references) {
    return LoadedModel::Load(std::move(bundle), {MakeEngine(std::make_shared<FakeNetworkLoader>())},
                             std::move(references));
  }
  /// Loads an ensemble of these two with the labels and channels of `options`.
  absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadPair(
      std::vector<std::shared_ptr<const LoadedModel>> members,
      const TinyBundleOptions& options = {}) {
    ModelBundle bundle = *ReadModelBundle(
        WriteTinyEnsemble(repository_.path(), "pair", {{"flat", 1}, {"deep", 1}}, options));
    return Load(std::move(bundle), {std::move(members), nullptr});
  }
  /// Loads a cascade after this stage.
  absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadCascade(
      std::shared_ptr<const LoadedModel> stage) {
    return Load(Bundle(Cascade()), {{}, std::move(stage)});
  }

  static TinyBundleOptions Named(const std::string& name) {
    TinyBundleOptions options;
    options.name = name;
    return options;
  }
  static TinyBundleOptions Lowres() {
    TinyBundleOptions options = Named("low");
    options.configuration = "3d_lowres";
    return options;
  }
  static TinyBundleOptions Cascade() {
    TinyBundleOptions options = Named("cascade");
    options.configuration = "3d_cascade_fullres";
    options.previous_configuration = "3d_lowres";
    options.previous_stage = ModelReference{"low", 1};
    return options;
  }
};

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST_F(ReferencesTest, AnEnsembleHasMembersAndThePlanOfTheFirst) {
  TinyBundleOptions flat = Named("flat");
  flat.patch_dimensions = 2;
  flat.patch_size = {{1, 8, 8}};
  const auto first = Model(flat);
  const auto second = Model(Named("deep"));
  const auto ensemble = LoadPair({first, second});
  NNSEG_ASSERT_OK(ensemble);
  EXPECT_THAT((*ensemble)->members(), ElementsAre(first, second));
  EXPECT_THAT((*ensemble)->networks().offered, SizeIs(0));
  EXPECT_EQ((*ensemble)->bundle().plan.patch_dimensions, 2);
  EXPECT_EQ((*ensemble)->bundle().manifest.name, "pair");
}

TEST_F(ReferencesTest, MembersMustHaveTheLabelsOfTheEnsemble) {
  TinyBundleOptions other = Named("deep");
  other.foreground_labels = 1;
  EXPECT_THAT(LoadPair({Model(Named("flat")), Model(other)}),
              StatusIs(kInvalid,
                       "member 'deep' version 1: labels is background 0, label_1 1, expected "
                       "background 0, label_1 1, label_2 2"));
}

TEST_F(ReferencesTest, MembersMustPaintTheSameRegions) {
  TinyBundleOptions regions = Named("deep");
  regions.regions = {{1, 2}, {2}};
  const auto member = Model(regions);
  regions.name = "flat";
  NNSEG_EXPECT_OK(LoadPair({Model(regions), member}, regions));
  regions.regions = {{2, 1}, {2}};
  EXPECT_THAT(
      LoadPair({Model(regions), member}, regions),
      StatusIs(kInvalid, HasSubstr("labels is background 0, region_1 1+2, region_2 2 "
                                   "painted as 1, 2, expected background 0, region_1 2+1")));
}

TEST_F(ReferencesTest, MembersMustTakeTheSameImages) {
  TinyBundleOptions channels = Named("deep");
  channels.channels = {"T2"};
  EXPECT_THAT(LoadPair({Model(Named("flat")), Model(channels)}),
              StatusIs(kInvalid, "member 'deep' version 1: channel_names is T2, expected T1"));
  TinyBundleOptions reader = Named("deep");
  reader.image_reader_writer = "NibabelIO";
  EXPECT_THAT(LoadPair({Model(Named("flat")), Model(reader)}),
              StatusIs(kInvalid,
                       "member 'deep' version 1: image_reader_writer is NibabelIO, expected "
                       "SimpleITKIO"));
}

TEST_F(ReferencesTest, AnEnsembleIsNoMember) {
  const auto member = Model(Named("flat"));
  const auto ensemble = LoadPair({member, Model(Named("deep"))});
  NNSEG_ASSERT_OK(ensemble);
  EXPECT_THAT(LoadPair({member, *ensemble}),
              StatusIs(kInvalid, "member 'pair' version 1: kind is ensemble, expected model"));
}

TEST_F(ReferencesTest, AllThatTheManifestNamesMustBeThere) {
  EXPECT_THAT(LoadPair({Model(Named("flat"))}),
              StatusIs(kInvalid, "got 1 members, expected 2 by manifest.json"));
  EXPECT_THAT(LoadCascade(nullptr),
              StatusIs(kInvalid, "got no previous stage, expected one by manifest.json"));
  EXPECT_THAT(Load(Bundle(), {{}, Model(Lowres())}),
              StatusIs(kInvalid, "got a previous stage, expected none by manifest.json"));
}

TEST_F(ReferencesTest, ACascadeHoldsItsPreviousStage) {
  const auto stage = Model(Lowres());
  const auto cascade = LoadCascade(stage);
  NNSEG_ASSERT_OK(cascade);
  EXPECT_EQ((*cascade)->previous_stage(), stage);
  NNSEG_EXPECT_OK((*cascade)->Select("", "", {}));
  EXPECT_EQ((*cascade)->networks().offered[0].folds[0]->signature().input_channels, 3);
}

TEST_F(ReferencesTest, ACascadeMayLeaveItsPreviousStageToTheClient) {
  TinyBundleOptions options = Cascade();
  options.previous_stage.reset();
  EXPECT_EQ(Model(options)->previous_stage(), nullptr);
}

TEST_F(ReferencesTest, ThePreviousStageMustFit) {
  EXPECT_THAT(LoadCascade(Model(Named("full"))),
              StatusIs(kInvalid,
                       "previous stage 'full' version 1: configuration is 3d_fullres, expected "
                       "3d_lowres"));
  TinyBundleOptions labels = Lowres();
  labels.foreground_labels = 3;
  EXPECT_THAT(LoadCascade(Model(labels)),
              StatusIs(kInvalid, HasSubstr("previous stage 'low' version 1: labels is")));
  TinyBundleOptions cascade = Lowres();
  cascade.previous_configuration = "2d";
  EXPECT_THAT(LoadCascade(Model(cascade)),
              StatusIs(kInvalid, HasSubstr("previous_stage is 2d, expected none")));
  const auto ensemble = LoadPair({Model(Named("flat")), Model(Named("deep"))});
  NNSEG_ASSERT_OK(ensemble);
  EXPECT_THAT(LoadCascade(*ensemble),
              StatusIs(kInvalid,
                       "previous stage 'pair' version 1: kind is ensemble, expected "
                       "model"));
}

}  // namespace
}  // namespace nnseg
