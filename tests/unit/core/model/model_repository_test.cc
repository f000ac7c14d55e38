#include "core/model/model_repository.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
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

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ModelRepositoryTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, int version) const {
    TinyBundleOptions options;
    options.name = name;
    options.version = version;
    return WriteTinyBundle(root_.path(), options);
  }

  ModelRepository Open(std::function<void(FakePatchNetwork&)> configure = [](auto&) {}) const {
    return {root_.path(),
            {{std::make_shared<FakeNetworkLoader>(std::move(configure)), scheduler_}}};
  }

  static std::vector<std::string> Listed(const ModelRepository& repository) {
    std::vector<std::string> lines;
    for (const ModelStatus& entry : repository.List()) {
      const char* state = entry.state == ModelState::kUnloaded  ? "unloaded"
                          : entry.state == ModelState::kLoading ? "loading"
                          : entry.state == ModelState::kReady   ? "ready"
                                                                : "failed";
      lines.push_back(entry.name + "/" + std::to_string(entry.version) + " " + state);
    }
    return lines;
  }

  TemporaryFolder root_;
  const std::shared_ptr<TileScheduler> scheduler_ = std::make_shared<TileScheduler>();
};

TEST_F(ModelRepositoryTest, ScanFindsVersionsInNumericOrder) {
  for (int version : {10, 9, 1}) Write("liver", version);
  Write("brain", 2);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Scan());
  EXPECT_THAT(Listed(repository), ElementsAre("brain/2 unloaded", "liver/1 unloaded",
                                              "liver/9 unloaded", "liver/10 unloaded"));
  EXPECT_FALSE(repository.AnyReady());
}

TEST_F(ModelRepositoryTest, ScanIgnoresWhatIsNoModel) {
  for (const char* folder : {".hidden/1", "-dash/1", "with space/1", "liver/0", "liver/01",
                             "liver/v1", "liver/1234567890", "liver/-1", "empty"}) {
    fs::create_directories(root_.path() / folder);
  }
  std::ofstream(root_.path() / "README.md") << "x";
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Scan());
  EXPECT_THAT(Listed(repository), IsEmpty());
}

TEST_F(ModelRepositoryTest, ScanOfAMissingRootIsNotFound) {
  ModelRepository repository(root_.path() / "nothing", {});
  EXPECT_THAT(repository.Scan(), StatusIs(absl::StatusCode::kNotFound, Not(HasSubstr("/"))));
}

TEST_F(ModelRepositoryTest, VersionsAppearAndVanishWithTheirFolders) {
  const fs::path first = Write("liver", 1);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  Write("liver", 2);
  const fs::path third = Write("liver", 3);
  NNSEG_ASSERT_OK(repository.Scan());
  fs::remove_all(first);
  fs::remove_all(third);
  NNSEG_ASSERT_OK(repository.Scan());
  EXPECT_THAT(Listed(repository), ElementsAre("liver/1 ready", "liver/2 unloaded"))
      << "what is loaded stays";
  NNSEG_ASSERT_OK(repository.Unload("liver", 1));
  NNSEG_ASSERT_OK(repository.Scan());
  EXPECT_THAT(Listed(repository), ElementsAre("liver/2 unloaded"));
}

TEST_F(ModelRepositoryTest, LoadAllLoadsTheNewestVersionOfEachModel) {
  Write("liver", 1);
  Write("liver", 2);
  Write("brain", 1);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Scan());
  repository.LoadAll();
  EXPECT_THAT(Listed(repository),
              ElementsAre("brain/1 ready", "liver/1 unloaded", "liver/2 ready"));
  EXPECT_TRUE(repository.AnyReady());
}

TEST_F(ModelRepositoryTest, ABadModelFailsAlone) {
  Write("brain", 1);
  std::ofstream(Write("liver", 1) / "fold_0.pt", std::ios::app) << "x";
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Scan());
  repository.LoadAll();
  EXPECT_THAT(Listed(repository), ElementsAre("brain/1 ready", "liver/1 failed"));
  EXPECT_THAT(repository.List()[1].error,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("model 'liver' version 1: fold_0.pt has 22 bytes")));
  EXPECT_THAT(repository.Borrow("liver", 0),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("loading failed"), HasSubstr("fold_0.pt"))));
  NNSEG_EXPECT_OK(repository.Borrow("brain", 0));
}

TEST_F(ModelRepositoryTest, ARepairedModelLoads) {
  const fs::path folder = Write("liver", 1);
  std::ofstream(folder / "extra") << "x";
  ModelRepository repository = Open();
  EXPECT_THAT(repository.Load("liver", 1), StatusIs(absl::StatusCode::kInvalidArgument));
  fs::remove(folder / "extra");
  NNSEG_EXPECT_OK(repository.Load("liver", 1));
  EXPECT_THAT(Listed(repository), ElementsAre("liver/1 ready"));
}

TEST_F(ModelRepositoryTest, AFolderThatHoldsAnotherModelIsRefused) {
  fs::rename(Write("liver", 1), (Write("brain", 1), root_.path() / "brain" / "2"));
  ModelRepository repository = Open();
  EXPECT_THAT(repository.Load("brain", 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("manifest.json is that of model 'liver' version 1")));
}

TEST_F(ModelRepositoryTest, BorrowTakesTheNewestReadyVersion) {
  for (int version : {1, 2, 3}) Write("liver", version);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  NNSEG_ASSERT_OK(repository.Load("liver", 2));
  const auto model = repository.Borrow("liver", 0);
  NNSEG_ASSERT_OK(model);
  EXPECT_EQ((*model)->bundle().manifest.version, 2);
  const auto older = repository.Borrow("liver", 1);
  NNSEG_ASSERT_OK(older);
  EXPECT_EQ((*older)->bundle().manifest.version, 1);
  EXPECT_THAT(repository.Borrow("liver", 3), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                      "model 'liver' version 3 is not loaded"));
}

TEST_F(ModelRepositoryTest, WhatDoesNotExistIsNotFound) {
  Write("liver", 1);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Scan());
  constexpr auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_THAT(repository.Borrow("brain", 0), StatusIs(kNotFound, "model 'brain' does not exist"));
  EXPECT_THAT(repository.Borrow("liver", 2),
              StatusIs(kNotFound, "model 'liver' version 2 does not exist"));
  EXPECT_THAT(repository.Load("liver", 2), StatusIs(kNotFound));
  EXPECT_THAT(repository.Unload("liver", 2), StatusIs(kNotFound));
  EXPECT_THAT(repository.Unload("brain", 0), StatusIs(kNotFound));
}

TEST_F(ModelRepositoryTest, NamesAreNeverPaths) {
  Write("liver", 1);
  ModelRepository repository = Open();
  for (const char* name : {"../liver", "./liver", "liver/", "/", ""}) {
    EXPECT_THAT(repository.Load(name, 1), StatusIs(absl::StatusCode::kNotFound)) << name;
  }
}

TEST_F(ModelRepositoryTest, ABorrowedModelOutlivesItsUnload) {
  Write("liver", 1);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("liver", 0));
  auto borrowed = *repository.Borrow("liver", 0);
  const std::weak_ptr<const LoadedModel> watch = borrowed;
  NNSEG_ASSERT_OK(repository.Unload("liver", 0));
  EXPECT_THAT(Listed(repository), ElementsAre("liver/1 unloaded"));
  NNSEG_EXPECT_OK(borrowed->Select("", "", {}));
  borrowed.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(ModelRepositoryTest, UnloadOfVersionZeroFreesThemAll) {
  Write("liver", 1);
  Write("liver", 2);
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  NNSEG_ASSERT_OK(repository.Load("liver", 2));
  NNSEG_ASSERT_OK(repository.Unload("liver", 0));
  EXPECT_FALSE(repository.AnyReady());
}

TEST_F(ModelRepositoryTest, LoadingAReadyVersionDoesNothing) {
  Write("liver", 1);
  int loads = 0;
  ModelRepository repository = Open([&](FakePatchNetwork&) { ++loads; });
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  const auto before = *repository.Borrow("liver", 1);
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  EXPECT_EQ(loads, 2) << "one for each fold";
  EXPECT_EQ(*repository.Borrow("liver", 1), before);
}

TEST_F(ModelRepositoryTest, OtherVersionsServeWhileOneLoads) {
  Write("liver", 1);
  Write("liver", 2);
  Gate gate;
  bool hold = false;
  ModelRepository repository = Open([&](FakePatchNetwork& network) {
    if (hold) network.OnRun([&](int) { gate.Wait(); });
  });
  NNSEG_ASSERT_OK(repository.Load("liver", 1));
  hold = true;
  std::thread loading([&] { NNSEG_EXPECT_OK(repository.Load("liver", 2)); });
  gate.AwaitArrivals(1);
  EXPECT_THAT(Listed(repository), ElementsAre("liver/1 ready", "liver/2 loading"));
  const auto model = repository.Borrow("liver", 0);
  NNSEG_EXPECT_OK(model);
  EXPECT_EQ((*model)->bundle().manifest.version, 1);
  constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;
  const std::string text = "model 'liver' version 2 is being loaded";
  EXPECT_THAT(repository.Borrow("liver", 2), StatusIs(kFailedPrecondition, text));
  EXPECT_THAT(repository.Load("liver", 2), StatusIs(kFailedPrecondition, text));
  EXPECT_THAT(repository.Unload("liver", 0), StatusIs(kFailedPrecondition, text));
  fs::remove_all(root_.path() / "liver" / "2");
  NNSEG_EXPECT_OK(repository.Scan());
  gate.Open();
  loading.join();
  EXPECT_THAT(Listed(repository), ElementsAre("liver/1 ready", "liver/2 ready"));
}

class ModelReferencesTest : public ModelRepositoryTest {
 protected:
  void WriteCascade(const std::string& name, const std::string& configuration,
                    const std::string& previous_configuration, const std::string& previous_name) {
    TinyBundleOptions options;
    options.name = name;
    options.configuration = configuration;
    options.previous_configuration = previous_configuration;
    if (!previous_name.empty()) options.previous_stage = ModelReference{previous_name, 1};
    WriteTinyBundle(root_.path(), options);
  }
  void WritePair(const std::string& name, const ModelReference& first,
                 const ModelReference& second) {
    WriteTinyEnsemble(root_.path(), name, {first, second});
  }
};

TEST_F(ModelReferencesTest, MembersAreLoadedOnceAndShared) {
  Write("deep", 1);
  Write("flat", 1);
  Write("flat", 2);
  WritePair("a-pair", {"flat", 1}, {"deep", 1});
  WritePair("pair", {"deep", 1}, {"flat", 1});
  int loads = 0;
  ModelRepository repository = Open([&](FakePatchNetwork&) { ++loads; });
  NNSEG_ASSERT_OK(repository.Scan());
  repository.LoadAll();
  EXPECT_THAT(Listed(repository), ElementsAre("a-pair/1 ready", "deep/1 ready", "flat/1 ready",
                                              "flat/2 ready", "pair/1 ready"));
  EXPECT_EQ(loads, 6) << "two folds of three models";
  const auto deep = *repository.Borrow("deep", 1);
  const auto flat = *repository.Borrow("flat", 1);
  EXPECT_THAT((*repository.Borrow("pair", 1))->members(), ElementsAre(deep, flat));
  EXPECT_THAT((*repository.Borrow("a-pair", 1))->members(), ElementsAre(flat, deep));
}

TEST_F(ModelReferencesTest, APreviousStageIsLoadedBeforeItsCascade) {
  TinyBundleOptions low;
  low.name = "low";
  low.configuration = "3d_lowres";
  WriteTinyBundle(root_.path(), low);
  WriteCascade("cascade", "3d_cascade_fullres", "3d_lowres", "low");
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("cascade", 1));
  EXPECT_EQ((*repository.Borrow("cascade", 1))->previous_stage(), *repository.Borrow("low", 1));
}

TEST_F(ModelReferencesTest, AMissingMemberFailsTheEnsemble) {
  Write("deep", 1);
  WritePair("pair", {"deep", 1}, {"flat", 3});
  ModelRepository repository = Open();
  EXPECT_THAT(
      repository.Load("pair", 1),
      StatusIs(absl::StatusCode::kNotFound, "model 'pair' version 1: model 'flat' does not exist"));
  EXPECT_THAT(Listed(repository), ElementsAre("deep/1 ready", "pair/1 failed"));
  Write("flat", 3);
  NNSEG_EXPECT_OK(repository.Load("pair", 1));
}

TEST_F(ModelReferencesTest, ABadMemberFailsTheEnsembleByName) {
  Write("deep", 1);
  std::ofstream(Write("flat", 1) / "fold_0.pt", std::ios::app) << "x";
  WritePair("pair", {"deep", 1}, {"flat", 1});
  ModelRepository repository = Open();
  EXPECT_THAT(repository.Load("pair", 1),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("model 'pair' version 1: model 'flat' version 1: fold_0.pt has")));
  EXPECT_THAT(Listed(repository), ElementsAre("deep/1 ready", "flat/1 failed", "pair/1 failed"));
}

TEST_F(ModelReferencesTest, CirclesAreRefused) {
  WriteCascade("first", "one", "two", "second");
  WriteCascade("second", "two", "one", "first");
  WritePair("snake", {"snake", 1}, {"first", 1});
  ModelRepository repository = Open();
  for (const char* name : {"first", "second", "snake"}) {
    EXPECT_THAT(repository.Load(name, 1),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(std::string("model '") + name +
                                   "' version 1 refers to itself through other models")));
  }
  EXPECT_FALSE(repository.AnyReady());
}

TEST_F(ModelReferencesTest, AnEnsembleOutlivesTheUnloadOfAMember) {
  Write("deep", 1);
  Write("flat", 1);
  WritePair("pair", {"deep", 1}, {"flat", 1});
  ModelRepository repository = Open();
  NNSEG_ASSERT_OK(repository.Load("pair", 1));
  NNSEG_ASSERT_OK(repository.Unload("flat", 1));
  EXPECT_THAT(Listed(repository), ElementsAre("deep/1 ready", "flat/1 unloaded", "pair/1 ready"));
  const auto pair = *repository.Borrow("pair", 1);
  NNSEG_EXPECT_OK(pair->members()[1]->Select("", "", {}));
}

TEST_F(ModelReferencesTest, AMemberThatIsBeingLoadedIsWaitedFor) {
  Write("deep", 1);
  Write("flat", 1);
  WritePair("pair", {"flat", 1}, {"deep", 1});
  Gate gate;
  std::atomic<int> loads{0};
  ModelRepository repository = Open([&](FakePatchNetwork& network) {
    ++loads;
    network.OnRun([&](int) { gate.Wait(); });
  });
  std::thread member([&] { NNSEG_EXPECT_OK(repository.Load("flat", 1)); });
  gate.AwaitArrivals(1);
  std::thread ensemble([&] { NNSEG_EXPECT_OK(repository.Load("pair", 1)); });
  std::this_thread::sleep_for(
      std::chrono::milliseconds(20));  // an ensemble that goes on fails here
  gate.Open();
  member.join();
  ensemble.join();
  EXPECT_EQ(loads.load(), 4) << "two folds of two models";
  EXPECT_THAT(Listed(repository), ElementsAre("deep/1 ready", "flat/1 ready", "pair/1 ready"));
}

}  // namespace
}  // namespace nnseg
