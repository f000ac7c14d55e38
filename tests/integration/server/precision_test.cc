#include "proto/wire/status_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/volume_builders.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

/// "tiny" for both engines, of which bf16 and int8_bf16 passed their gates and int8 did not.
class PrecisionTest : public ServerFixture {
 protected:
  static TinyBundleOptions Options() {
    TinyBundleOptions options;
    options.engines = {"torch", "openvino"};
    options.precisions = {TinyPrecision("bf16", 0.5), TinyPrecision("int8", 0.3, 0.981),
                          TinyPrecision("int8_bf16", 0.2)};
    return options;
  }

  PrecisionTest() { WriteTinyBundle(folder_.path(), Options()); }

  Answer Segment(pb::Precision precision, pb::EngineChoice engine = pb::ENGINE_CHOICE_AUTO,
                 const std::string& model = "tiny") {
    pb::SegmentHeader header = Header();
    header.mutable_model()->set_name(model);
    header.mutable_options()->set_precision(precision);
    header.mutable_options()->set_engine(engine);
    return ServerFixture::Segment(header);
  }
};

TEST_F(PrecisionTest, TheSummaryTellsWhatRan) {
  StartServer();
  for (const auto& [precision, name] : {std::pair{pb::PRECISION_UNSPECIFIED, "fp32"},
                                        {pb::PRECISION_FP32, "fp32"},
                                        {pb::PRECISION_EXACT, "fp32"},
                                        {pb::PRECISION_BF16, "bf16"},
                                        {pb::PRECISION_INT8_BF16, "int8_bf16"}}) {
    const Answer answer = Segment(precision);
    NNSEG_ASSERT_OK(answer.status) << precision;
    EXPECT_EQ(answer.summary().precision(), name);
    EXPECT_EQ(CountDifferent<uint16_t>(answer.labels.voxels(), ExpectedLabels().voxels()), 0);
  }
}

TEST_F(PrecisionTest, ThePolicyOfTheModelIsForRequestsThatLeaveItOpen) {
  TinyBundleOptions options = Options();
  options.precision_policy = "bf16";
  WriteTinyBundle(folder_.path(), options);
  StartServer();
  const Answer open = Segment(pb::PRECISION_UNSPECIFIED);
  NNSEG_ASSERT_OK(open.status);
  EXPECT_EQ(open.summary().precision(), "bf16");
  const Answer torch = Segment(pb::PRECISION_UNSPECIFIED, pb::ENGINE_CHOICE_TORCH);
  NNSEG_ASSERT_OK(torch.status);
  EXPECT_EQ(torch.summary().precision(), "fp32");
}

TEST_F(PrecisionTest, WhatIsNotOfferedIsRefusedWithTheReason) {
  StartServer();
  EXPECT_THAT(
      Segment(pb::PRECISION_INT8).status,
      StatusIs(
          kInvalid,
          "precision is 'int8', but model 'tiny' version 1 offers auto, exact, fp32, "
          "bf16, int8_bf16 (int8 on openvino: it did not pass its gate: Dice 0.981 of 0.99, equal "
          "voxels 0.9975 of 0.995)"));
  EXPECT_THAT(Segment(pb::PRECISION_FP16).status,
              StatusIs(kInvalid, HasSubstr("the model has no such networks")));
  EXPECT_THAT(
      Segment(pb::PRECISION_EXACT, pb::ENGINE_CHOICE_OPENVINO).status,
      StatusIs(kInvalid,
               HasSubstr("offers auto, fp32, bf16, int8_bf16 on openvino (exact is torch")));
  EXPECT_THAT(Segment(pb::PRECISION_BF16, pb::ENGINE_CHOICE_TORCH).status,
              StatusIs(kInvalid, HasSubstr("offers auto, exact, fp32 on torch")));
}

TEST_F(PrecisionTest, AnEnsembleRunsInOneThatAllMembersOffer) {
  TinyBundleOptions options = Options();
  options.name = "deep";
  options.precisions = {TinyPrecision("bf16", 0.5)};
  WriteTinyBundle(folder_.path(), options);
  options.name = "plain";
  options.precisions = {};
  WriteTinyBundle(folder_.path(), options);
  WriteTinyEnsemble(folder_.path(), "fast", {{"tiny", 1}, {"deep", 1}});
  WriteTinyEnsemble(folder_.path(), "mixed", {{"tiny", 1}, {"plain", 1}});
  StartServer();
  const Answer fast = Segment(pb::PRECISION_BF16, pb::ENGINE_CHOICE_AUTO, "fast");
  NNSEG_ASSERT_OK(fast.status);
  EXPECT_EQ(fast.summary().precision(), "bf16");
  EXPECT_THAT(Segment(pb::PRECISION_BF16, pb::ENGINE_CHOICE_AUTO, "mixed").status,
              StatusIs(kInvalid,
                       "precision is 'bf16', but model 'plain' version 1 offers auto, exact, fp32 "
                       "(the model has no such networks)"));
  const Answer open = Segment(pb::PRECISION_AUTO, pb::ENGINE_CHOICE_AUTO, "mixed");
  NNSEG_ASSERT_OK(open.status);
  EXPECT_EQ(open.summary().precision(), "fp32");
}

TEST_F(PrecisionTest, GetModelReportsWhatWasTried) {
  StartServer();
  grpc::ClientContext context;
  pb::GetModelRequest request;
  request.mutable_model()->set_name("tiny");
  pb::GetModelResponse response;
  NNSEG_ASSERT_OK(FromGrpcStatus(
      pb::ModelService::NewStub(NewChannel())->GetModel(&context, request, &response)));
  EXPECT_THAT(response.engines(), testing::ElementsAre("torch", "openvino"));
  ASSERT_EQ(response.precisions_size(), 3);
  const pb::PrecisionReport& bf16 = response.precisions(0);
  EXPECT_EQ(bf16.engine(), "openvino");
  EXPECT_EQ(bf16.precision(), "bf16");
  EXPECT_TRUE(bf16.offered());
  EXPECT_EQ(bf16.dice(), 0.998);
  EXPECT_EQ(bf16.dice_limit(), 0.99);
  EXPECT_EQ(bf16.equal_fraction(), 0.9975);
  EXPECT_EQ(bf16.equal_fraction_limit(), 0.995);
  EXPECT_EQ(bf16.volumes(), 3);
  EXPECT_EQ(bf16.relative_time(), 0.5);
  EXPECT_EQ(bf16.recipe(), "tests");
  EXPECT_EQ(response.precisions(1).precision(), "int8");
  EXPECT_FALSE(response.precisions(1).offered());
  EXPECT_EQ(response.precisions(1).dice(), 0.981);
}

}  // namespace
}  // namespace nnseg
