#include <grpcpp/impl/client_unary_call.h>

#include <future>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/wire/status_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using grpc::health::v1::HealthCheckResponse;
using std::chrono::milliseconds;
using testing::ContainsRegex;
using testing::HasSubstr;

class OperationsTest : public ServerFixture {
 protected:
  HealthCheckResponse::ServingStatus Health(const std::string& service = "") {
    const auto health = grpc::health::v1::Health::NewStub(NewChannel());
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    NNSEG_EXPECT_OK(FromGrpcStatus(health->Check(&context, request, &response)));
    return response.status();
  }
};

TEST_F(OperationsTest, NotReadyUntilAModelIs) {
  StartServer(
      "", [](auto&) {}, /*load_models=*/false);
  EXPECT_EQ(Health(), HealthCheckResponse::NOT_SERVING);
  EXPECT_THAT(HttpGet("/livez"), HasSubstr("200 OK"));
  EXPECT_THAT(HttpGet("/readyz"), testing::AllOf(HasSubstr("503"), HasSubstr("no model is ready")));
  EXPECT_THAT(Segment().status, StatusIs(absl::StatusCode::kFailedPrecondition));
  server_->LoadModels();
  EXPECT_EQ(Health(), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("segmentation.v1.SegmentationService"), HealthCheckResponse::SERVING);
  EXPECT_THAT(HttpGet("/readyz"), HasSubstr("200 OK"));
}

TEST_F(OperationsTest, HttpServesNothingElse) {
  StartServer();
  EXPECT_THAT(HttpGet("/"), HasSubstr("404"));
  EXPECT_THAT(HttpGet("/metrics/more"), HasSubstr("404"));
  EXPECT_THAT(HttpGet("/../etc/passwd"), testing::Not(HasSubstr("200 OK")));
}

TEST_F(OperationsTest, CountersEqualWhatClientsSaw) {
  StartServer();
  for (int i = 0; i < 3; ++i) NNSEG_EXPECT_OK(Segment().status);
  pb::SegmentHeader unknown = Header();
  unknown.mutable_model()->set_name("a-client-made-this-up");
  EXPECT_FALSE(Segment(unknown).status.ok());
  ASSERT_TRUE(WaitFor(
      [&] { return HttpGet("/metrics").find("nnseg_open_streams 0") != std::string::npos; }));
  const std::string metrics = HttpGet("/metrics");
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_requests_total{code="OK",model="tiny",version="1"} 3)"));
  EXPECT_THAT(metrics,
              HasSubstr(R"(nnseg_requests_total{code="NOT_FOUND",model="",version=""} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_rejected_total{reason="invalid"} 1)"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_voxels_total 5040"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_inflight_requests 0"));
  EXPECT_THAT(metrics, HasSubstr("nnseg_admitted_bytes 0"));
  EXPECT_THAT(metrics, ContainsRegex("nnseg_received_bytes_total [1-9]"));
  EXPECT_THAT(metrics, ContainsRegex("nnseg_sent_bytes_total [1-9]"));
  EXPECT_THAT(
      metrics,
      HasSubstr(R"(nnseg_stage_duration_seconds_count{model="tiny",stage="preprocess"} 3)"));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_first_result_seconds_count{model="tiny"} 3)"));
  EXPECT_THAT(metrics, HasSubstr(R"(nnseg_model_state{model="tiny",version="1",state="ready"} 1)"));
  EXPECT_THAT(metrics, testing::Not(HasSubstr("made-this-up")));
}

TEST_F(OperationsTest, DrainFinishesRunningCasesAndRefusesNewOnes) {
  StartServer("", HoldPasses());
  SegmentCall running(stub());
  running.Send(Header());
  running.SendVoxels(ImageBytes());
  running.CloseSending();
  gate_.AwaitArrivals(1);

  auto drained = std::async(std::launch::async, [&] { server_->Drain(); });
  ASSERT_TRUE(WaitFor([&] { return HttpGet("/readyz").find("draining") != std::string::npos; }));
  EXPECT_EQ(Health(), HealthCheckResponse::NOT_SERVING);
  ASSERT_TRUE(WaitFor([&] { return Segment().status.code() == absl::StatusCode::kUnavailable; },
                      milliseconds(2000)));
  EXPECT_EQ(drained.wait_for(milliseconds(50)), std::future_status::timeout);
  gate_.Open();
  NNSEG_EXPECT_OK(running.Finish().status);
  drained.get();
}

TEST_F(OperationsTest, DrainTakesRequestsDuringItsDelay) {
  StartServer("drain { delay_seconds: 1 }");
  auto drained = std::async(std::launch::async, [&] { server_->Drain(); });
  ASSERT_TRUE(WaitFor([&] { return Health() == HealthCheckResponse::NOT_SERVING; }));
  NNSEG_EXPECT_OK(Segment().status);
  drained.get();
}

TEST_F(OperationsTest, DrainCancelsWhatRunsBeyondItsTime) {
  StartServer("drain { timeout_seconds: 0.2 }", HoldPasses());
  SegmentCall running(stub());
  running.Send(Header());
  running.SendVoxels(ImageBytes());
  running.CloseSending();
  SegmentCall uploading(stub());
  uploading.Send(Header());
  ASSERT_TRUE(uploading.ReadUntil([](const auto& event) { return event.has_accepted(); }));
  gate_.AwaitArrivals(1);

  auto drained = std::async(std::launch::async, [&] { server_->Drain(); });
  EXPECT_THAT(uploading.Finish().status, StatusIs(absl::StatusCode::kUnavailable));
  gate_.Open();
  EXPECT_THAT(running.Finish().status, StatusIs(absl::StatusCode::kUnavailable));
  drained.get();
}

TEST_F(OperationsTest, ServerEndsWithOpenStreamsAndWatchers) {
  StartServer();
  SegmentCall open(stub());
  open.Send(Header());
  ASSERT_TRUE(open.ReadUntil([](const auto& event) { return event.has_accepted(); }));
  const auto health = grpc::health::v1::Health::NewStub(NewChannel());
  grpc::ClientContext context;
  const auto watcher = health->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(watcher->Read(&response));
  server_.reset();
  EXPECT_THAT(open.Finish().status, StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(OperationsTest, SecondServerOnThePortIsRefused) {
  StartServer();
  ServerConfig config;
  config.set_model_repository(folder_.path());
  config.set_http("127.0.0.1:0");
  config.set_listen("127.0.0.1:" + std::to_string(server_->grpc_port()));
  EXPECT_THAT(Server::Start(config, {}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot listen for gRPC")));
  config.set_listen("127.0.0.1:0");
  config.set_http("127.0.0.1:" + std::to_string(server_->http_port()));
  EXPECT_THAT(Server::Start(config, {}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot listen for HTTP")));
}

TEST_F(OperationsTest, MissingRepositoryIsNotFound) {
  ServerConfig config;
  config.set_model_repository(folder_.path() / "missing");
  config.set_http("127.0.0.1:0");
  config.set_listen("127.0.0.1:0");
  EXPECT_THAT(Server::Start(config, {}), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(OperationsTest, ReflectionIsASwitch) {
  for (const bool on : {false, true}) {
    StartServer(on ? "reflection: true" : "");
    grpc::ClientContext context;
    grpc::internal::RpcMethod method(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        grpc::internal::RpcMethod::NORMAL_RPC);
    const auto channel = NewChannel();
    grpc::ByteBuffer response;
    // An empty message and the end: the service answers it with a message of its own.
    const grpc::Slice empty;
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
            channel.get(), method, &context, grpc::ByteBuffer(&empty, 1), &response);
    EXPECT_EQ(status.error_code() == grpc::StatusCode::UNIMPLEMENTED, !on)
        << status.error_message();
    server_.reset();
  }
}

}  // namespace
}  // namespace nnseg
