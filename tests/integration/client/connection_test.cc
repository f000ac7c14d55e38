#include "client/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "proto/wire/status_codec.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using grpc::health::v1::Health;
using testing::HasSubstr;

/// Listens at `port`, which becomes the port taken where it is 0.
std::unique_ptr<grpc::Server> Listen(Health::Service& service, int& port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  return builder.BuildAndStart();
}

absl::Status Call(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  return FromGrpcStatus(Health::NewStub(channel)->Check(&context, {}, &response));
}

TEST(OpenChannel, ConnectsToAServerThatIsThereAMomentLater) {
  Health::Service service;
  int port = 0;
  ASSERT_NE(Listen(service, port), nullptr);  // and closed again: the port is free
  std::unique_ptr<grpc::Server> server;
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server = Listen(service, port);
  });
  const auto channel = OpenChannel(absl::StrCat("127.0.0.1:", port), {});
  NNSEG_ASSERT_OK(channel);
  EXPECT_THAT(Call(*channel), StatusIs(absl::StatusCode::kUnimplemented));  // the server answers
}

TEST(OpenChannel, ACallSaysThatNoServerIsThere) {
  Health::Service service;
  int port = 0;
  ASSERT_NE(Listen(service, port), nullptr);
  const auto channel = OpenChannel(absl::StrCat("127.0.0.1:", port), {});
  NNSEG_ASSERT_OK(channel);
  EXPECT_THAT(Call(*channel),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Connection refused")));
}

}  // namespace
}  // namespace nnseg
