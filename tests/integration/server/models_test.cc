#include "proto/wire/status_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

class ModelsTest : public ServerFixture {
 protected:
  void Start(const std::string& config) {
    StartServer(config);
    models_ = pb::ModelService::NewStub(NewChannel());
  }

  std::vector<pb::ModelSummary> List() {
    grpc::ClientContext context;
    pb::ListModelsResponse response;
    NNSEG_EXPECT_OK(FromGrpcStatus(models_->ListModels(&context, {}, &response)));
    return {response.models().begin(), response.models().end()};
  }

  absl::Status Load(const std::string& name, int version) {
    grpc::ClientContext context;
    pb::LoadModelRequest request;
    request.mutable_model()->set_name(name);
    request.mutable_model()->set_version(version);
    pb::LoadModelResponse response;
    return FromGrpcStatus(models_->LoadModel(&context, request, &response));
  }

  absl::Status Unload(const std::string& name, int version) {
    grpc::ClientContext context;
    pb::UnloadModelRequest request;
    request.mutable_model()->set_name(name);
    request.mutable_model()->set_version(version);
    pb::UnloadModelResponse response;
    return FromGrpcStatus(models_->UnloadModel(&context, request, &response));
  }

  std::unique_ptr<pb::ModelService::Stub> models_;
};

TEST_F(ModelsTest, ListTellsNamesVersionsAndStates) {
  WriteTinyBundle(folder_.path(), {.version = 2});
  WriteTinyBundle(folder_.path(), {.name = "another"});
  Start("");
  const auto models = List();
  ASSERT_EQ(models.size(), 3);
  EXPECT_EQ(models[0].model().name(), "another");
  EXPECT_EQ(models[0].state(), pb::MODEL_STATE_READY);
  EXPECT_EQ(models[1].model().version(), 1);
  EXPECT_EQ(models[1].state(), pb::MODEL_STATE_UNLOADED);
  EXPECT_EQ(models[2].model().version(), 2);
  EXPECT_EQ(models[2].state(), pb::MODEL_STATE_READY);
}

TEST_F(ModelsTest, GetDescribesTheModel) {
  Start("");
  grpc::ClientContext context;
  pb::GetModelRequest request;
  request.mutable_model()->set_name("tiny");
  pb::GetModelResponse response;
  NNSEG_ASSERT_OK(FromGrpcStatus(models_->GetModel(&context, request, &response)));
  EXPECT_EQ(response.summary().model().version(), 1);
  EXPECT_EQ(response.digest().size(), 64);
  EXPECT_THAT(response.channel_names(), testing::ElementsAre("T1"));
  ASSERT_EQ(response.labels_size(), 3);
  EXPECT_EQ(response.labels(0).name(), "background");
  EXPECT_THAT(response.folds(), testing::ElementsAre("0", "1"));
  EXPECT_THAT(response.mirroring_axes(), testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(response.patch_size(), testing::ElementsAre(8, 8, 8));
  EXPECT_THAT(response.engines(), testing::ElementsAre("torch"));
  EXPECT_EQ(response.image_reader_writer(), "SimpleITKIO");
}

TEST_F(ModelsTest, GetOfAnUnknownModelIsNotFound) {
  Start("");
  grpc::ClientContext context;
  pb::GetModelRequest request;
  request.mutable_model()->set_name("tiny");
  request.mutable_model()->set_version(9);
  pb::GetModelResponse response;
  EXPECT_THAT(FromGrpcStatus(models_->GetModel(&context, request, &response)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("version 9")));
}

TEST_F(ModelsTest, ControlIsOffByDefault) {
  Start("");
  EXPECT_THAT(Load("tiny", 0), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Unload("tiny", 0), StatusIs(absl::StatusCode::kPermissionDenied));
  NNSEG_EXPECT_OK(Segment().status);
}

TEST_F(ModelsTest, UnloadedModelStopsServingAndLoadsAgain) {
  Start("allow_model_control: true");
  NNSEG_ASSERT_OK(Unload("tiny", 0));
  EXPECT_EQ(List()[0].state(), pb::MODEL_STATE_UNLOADED);
  EXPECT_THAT(Segment().status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(HttpGet("/readyz"), HasSubstr("503"));
  NNSEG_ASSERT_OK(Load("tiny", 0));
  NNSEG_EXPECT_OK(Segment().status);
  EXPECT_THAT(HttpGet("/readyz"), HasSubstr("200"));
}

TEST_F(ModelsTest, NewVersionTakesOverAndTheOldOneCanStillBeNamed) {
  Start("allow_model_control: true");
  WriteTinyBundle(folder_.path(), {.version = 2});
  NNSEG_ASSERT_OK(Load("tiny", 2));
  Answer answer = Segment();
  NNSEG_ASSERT_OK(answer.status);
  EXPECT_EQ(answer.summary().model().version(), 2);
  pb::SegmentHeader header = Header();
  header.mutable_model()->set_version(1);
  answer = Segment(header);
  NNSEG_ASSERT_OK(answer.status);
  EXPECT_EQ(answer.summary().model().version(), 1);
}

TEST_F(ModelsTest, LoadOfAnUnknownModelIsNotFound) {
  Start("allow_model_control: true");
  EXPECT_THAT(Load("other", 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Load("../tiny", 1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Unload("other", 0), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ModelsTest, ModelThatCannotBeLoadedFailsAloneAndSaysWhy) {
  const auto broken = WriteTinyBundle(folder_.path(), {.name = "broken"});
  std::filesystem::remove(broken / "plans.json");
  Start("");
  const auto models = List();
  ASSERT_EQ(models.size(), 2);
  EXPECT_EQ(models[0].state(), pb::MODEL_STATE_FAILED);
  EXPECT_THAT(models[0].error(), HasSubstr("plans.json"));
  EXPECT_THAT(models[0].error(), testing::Not(HasSubstr(folder_.path().string())));
  NNSEG_EXPECT_OK(Segment().status);
}

}  // namespace
}  // namespace nnseg
