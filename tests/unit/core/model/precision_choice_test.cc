#include "core/model/precision_choice.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tiny_bundle.h"

namespace nnseg {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

/// A host with OpenVINO in fp32, bf16, int8 and int8_bf16 before torch in fp32, both on the CPU, on
/// which a pass takes as long as seconds_ says.
class PrecisionTest : public testing::Test {
 protected:
  std::shared_ptr<NetworkLoader> Loader(const std::string& engine,
                                        std::vector<std::string> precisions,
                                        const std::string& device = "cpu") {
    const auto take_time = [this](FakePatchNetwork& network) {
      network.OnRun([this, precision = network.precision()](int) { now_ += seconds_[precision]; });
    };
    return std::make_shared<FakeNetworkLoader>(take_time, engine, std::move(precisions), device);
  }
  std::shared_ptr<NetworkLoader> Openvino(std::vector<std::string> precisions) {
    return Loader("openvino", std::move(precisions));
  }
  Engines Host(std::vector<std::string> precisions = {"fp32", "bf16", "int8", "int8_bf16"},
               const std::vector<std::string>& kept = {}) {
    return {{Openvino(std::move(precisions)), scheduler_, kept},
            {std::make_shared<FakeNetworkLoader>(), scheduler_, kept}};
  }
  static TinyBundleOptions Options(std::vector<PrecisionRecord> precisions) {
    TinyBundleOptions options;
    options.engines = {"torch", "openvino"};
    options.precisions = std::move(precisions);
    return options;
  }
  std::shared_ptr<const LoadedModel> Load(const TinyBundleOptions& options,
                                          const Engines& engines) {
    auto model = LoadedModel::Load(*ReadModelBundle(WriteTinyBundle(repository_.path(), options)),
                                   engines, {}, [this] { return now_; });
    NNSEG_EXPECT_OK(model);
    return *std::move(model);
  }
  std::shared_ptr<const LoadedModel> Load(std::vector<PrecisionRecord> precisions) {
    return Load(Options(std::move(precisions)), Host());
  }

  std::map<std::string, double> seconds_{
      {"fp32", 2}, {"fp16", 1}, {"bf16", 1}, {"int8", 0.5}, {"int8_bf16", 0.25}};
  double now_ = 0;
  TemporaryFolder repository_;
  const std::shared_ptr<TileScheduler> scheduler_ = std::make_shared<TileScheduler>();
};

std::vector<std::string> Offered(const LoadedModel& model) {
  std::vector<std::string> names;
  for (const EngineNetworks& networks : model.networks().offered) {
    names.push_back(networks.engine.loader->engine() + " " + networks.precision);
  }
  return names;
}

/// What a request gets: engine by the loader, precision by the network itself.
std::string Chosen(const LoadedModel& model, const std::string& engine, const std::string& wish) {
  const std::string& policy = model.bundle().manifest.precision_policy;
  const auto precision = ChoosePrecision({&model}, policy, engine, wish);
  if (!precision.ok()) return std::string(precision.status().message());
  const auto networks = FindNetworks(model, engine, *precision);
  if (!networks.ok()) return std::string(networks.status().message());
  return (*networks)->engine.loader->engine() + " " + (*networks)->folds[0]->precision();
}

TEST_F(PrecisionTest, WhatPassedItsGateIsResidentAndWarm) {
  const auto model = Load({TinyPrecision("int8", 0.9), TinyPrecision("bf16", 0.9)});
  EXPECT_THAT(Offered(*model),
              ElementsAre("openvino fp32", "openvino int8", "openvino bf16", "torch fp32"));
  EXPECT_THAT(model->networks().withheld, IsEmpty());
  for (const EngineNetworks& networks : model->networks().offered) {
    ASSERT_THAT(networks.folds, SizeIs(2));
    for (const auto& fold : networks.folds) {
      EXPECT_EQ(fold->precision(), networks.precision);
      EXPECT_GE(dynamic_cast<FakePatchNetwork&>(*fold).runs(), 1);
    }
  }
}

TEST_F(PrecisionTest, WhatDidNotPassIsWithheldWithItsFigures) {
  const auto model = Load({TinyPrecision("int8", 0.3, 0.981)});
  EXPECT_THAT(Offered(*model), ElementsAre("openvino fp32", "torch fp32"));
  ASSERT_THAT(model->networks().withheld, SizeIs(1));
  EXPECT_EQ(
      Chosen(*model, "", "int8"),
      "precision is 'int8', but model 'tiny' version 1 offers auto, fp32, exact (int8 on "
      "openvino: it did not pass its gate: Dice 0.981 of 0.99, equal voxels 0.9975 of 0.995)");
}

TEST_F(PrecisionTest, WhatTheProcessorLacksIsWithheld) {
  const auto model = Load(Options({TinyPrecision("bf16", 0.5), TinyPrecision("int8", 0.3)}),
                          Host({"fp32", "int8"}));
  EXPECT_EQ(Chosen(*model, "auto", "bf16"),
            "precision is 'bf16', but model 'tiny' version 1 offers auto, fp32, int8, exact (bf16 "
            "on openvino: this fake has no bf16)");
  EXPECT_EQ(Chosen(*model, "auto", "int8"), "openvino int8");
}

TEST_F(PrecisionTest, WhatTheConfigurationLeavesOutIsWithheld) {
  const auto model = Load(Options({TinyPrecision("bf16", 0.5), TinyPrecision("int8", 0.3)}),
                          Host({"fp32", "bf16", "int8"}, {"bf16"}));
  EXPECT_THAT(Offered(*model), ElementsAre("openvino fp32", "openvino bf16", "torch fp32"));
  EXPECT_THAT(Chosen(*model, "auto", "int8"),
              HasSubstr("the server's configuration leaves it out"));
}

TEST_F(PrecisionTest, TimesAreThoseOfThisHostAndNotTheExporters) {
  const auto model = Load({TinyPrecision("bf16", 0.01), TinyPrecision("int8", 0.9)});
  EXPECT_EQ(model->networks().offered[0].relative_time, 1);
  EXPECT_EQ(model->networks().offered[1].relative_time, 0.5);
  EXPECT_EQ(model->networks().offered[2].relative_time, 0.25);
}

TEST_F(PrecisionTest, AutoIsTheFastest) {
  const std::vector<PrecisionRecord> all{TinyPrecision("bf16", 1), TinyPrecision("int8", 1),
                                         TinyPrecision("int8_bf16", 1)};
  EXPECT_EQ(Chosen(*Load(all), "", "auto"), "openvino int8_bf16");
  EXPECT_EQ(Chosen(*Load(all), "torch", "auto"), "torch fp32");
  seconds_["int8_bf16"] = 1.5;
  EXPECT_EQ(Chosen(*Load(all), "", "auto"), "openvino int8");
  seconds_["int8"] = 1.5;
  EXPECT_EQ(Chosen(*Load(all), "", "auto"), "openvino bf16");
  seconds_["bf16"] = seconds_["int8"] = seconds_["int8_bf16"] = 2.5;
  EXPECT_EQ(Chosen(*Load(all), "", "auto"), "openvino fp32") << "lower precisions are slower here";
}

TEST_F(PrecisionTest, AutoStaysOnThePreferredDevice) {
  const auto gpu = Loader("torch", {"fp32", "fp16"}, "cuda:0");
  const auto model =
      Load(Options({TinyPrecision("int8", 0.1)}),
           {{gpu, std::make_shared<TileScheduler>()}, {Openvino({"fp32", "int8"}), scheduler_}});
  EXPECT_EQ(Chosen(*model, "", "auto"), "torch fp16");
  EXPECT_EQ(Chosen(*model, "", ""), "torch fp16") << "as nnU-Net on a GPU";
  EXPECT_EQ(Chosen(*model, "", "fp32"), "torch fp32");
  EXPECT_EQ(Chosen(*model, "openvino", ""), "openvino fp32");
  EXPECT_EQ(Chosen(*model, "openvino", "auto"), "openvino int8");
  EXPECT_EQ(Chosen(*model, "", "int8"), "openvino int8");
  EXPECT_THAT(Chosen(*model, "", "exact"), HasSubstr("exact is torch in fp32 on the CPU"));
}

TEST_F(PrecisionTest, ExactIsTorchInFp32OnTheCpu) {
  const auto model = Load({TinyPrecision("bf16", 0.5)});
  EXPECT_EQ(Chosen(*model, "", "exact"), "torch fp32");
  EXPECT_EQ(Chosen(*model, "torch", "exact"), "torch fp32");
  EXPECT_EQ(Chosen(*model, "openvino", "exact"),
            "precision is 'exact', but model 'tiny' version 1 offers auto, fp32, bf16 on openvino "
            "(exact is torch in fp32 on the CPU)");
}

TEST_F(PrecisionTest, APrecisionOfTheOtherEngineIsRefused) {
  const auto model = Load({TinyPrecision("bf16", 0.5)});
  EXPECT_EQ(Chosen(*model, "torch", "bf16"),
            "precision is 'bf16', but model 'tiny' version 1 offers auto, exact, fp32 on torch "
            "(the model has no such networks)");
  EXPECT_THAT(Chosen(*model, "", "fp16"), HasSubstr("the model has no such networks"));
  EXPECT_THAT(Chosen(*model, "", "\n" + std::string(99, 'x')),
              AllOf(HasSubstr("'\\n" + std::string(63, 'x') + "'")));
}

TEST_F(PrecisionTest, TheModelsPolicyIsForRequestsThatLeaveItOpen) {
  TinyBundleOptions options = Options({TinyPrecision("bf16", 0.5), TinyPrecision("int8", 0.3)});
  const std::vector<std::pair<std::string, std::string>> expected{{"", "openvino fp32"},
                                                                  {"auto", "openvino int8"},
                                                                  {"bf16", "openvino bf16"},
                                                                  {"exact", "torch fp32"}};
  for (const auto& [policy, chosen] : expected) {
    options.precision_policy = policy;
    const auto model = Load(options, Host());
    EXPECT_EQ(Chosen(*model, "", ""), chosen);
    EXPECT_EQ(Chosen(*model, "", "fp32"), "openvino fp32");
    EXPECT_EQ(Chosen(*model, "", "int8"), "openvino int8");
  }
}

TEST_F(PrecisionTest, APolicyThatCannotBeFollowedGivesWayToFp32) {
  TinyBundleOptions options = Options({TinyPrecision("bf16", 0.5)});
  options.precision_policy = "bf16";
  EXPECT_EQ(Chosen(*Load(options, Host({"fp32"})), "", ""), "openvino fp32");
  EXPECT_EQ(Chosen(*Load(options, Host()), "torch", ""), "torch fp32");
}

TEST_F(PrecisionTest, APolicyOfExactGivesWayToAnotherEngineOnly) {
  TinyBundleOptions options = Options({});
  options.precision_policy = "exact";
  EXPECT_EQ(Chosen(*Load(options, Host()), "openvino", ""), "openvino fp32");
  EXPECT_THAT(Chosen(*Load(options, {{Openvino({"fp32"}), scheduler_}}), "", ""),
              HasSubstr("exact is torch in fp32 on the CPU"));
}

class PrecisionOfRunsTest : public PrecisionTest {
 protected:
  std::shared_ptr<const LoadedModel> Named(const std::string& name,
                                           std::vector<PrecisionRecord> precisions) {
    TinyBundleOptions options = Options(std::move(precisions));
    options.name = name;
    return Load(options, Host());
  }
};

TEST_F(PrecisionOfRunsTest, AreTheSameForAll) {
  const auto flat = Named("flat", {TinyPrecision("bf16", 0.5), TinyPrecision("int8", 0.3)});
  const auto deep = Named("deep", {TinyPrecision("bf16", 0.6)});
  const std::vector<const LoadedModel*> runs{flat.get(), deep.get()};
  EXPECT_EQ(*ChoosePrecision(runs, "fp32", "", "auto"), "bf16") << "deep has no int8";
  EXPECT_EQ(*ChoosePrecision(runs, "fp32", "", "bf16"), "bf16");
  EXPECT_EQ(*ChoosePrecision(runs, "int8", "", ""), "fp32");
  EXPECT_THAT(ChoosePrecision(runs, "fp32", "", "int8"),
              StatusIs(kInvalid,
                       "precision is 'int8', but model 'deep' version 1 offers auto, fp32, bf16, "
                       "exact (the model has no such networks)"));
}

TEST_F(PrecisionOfRunsTest, TheFastestIsTheFastestOfTheWholeCase) {
  const std::vector<PrecisionRecord> both{TinyPrecision("bf16", 1), TinyPrecision("int8", 1)};
  const auto flat = Named("flat", both);
  seconds_["int8"] = 1.75;
  const auto deep = Named("deep", both);
  EXPECT_EQ(*ChoosePrecision({flat.get(), deep.get()}, "auto", "", ""), "bf16");
  EXPECT_EQ(*ChoosePrecision({flat.get()}, "auto", "", ""), "int8");
}

}  // namespace
}  // namespace nnseg
