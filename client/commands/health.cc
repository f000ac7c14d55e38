#include "client/commands/health.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/wire/status_codec.h"

namespace nnseg {
namespace {

/// Used when no deadline is given: a probe must end.
constexpr std::chrono::milliseconds kDefaultTimeout{5000};

}  // namespace

void DefineHealth(CLI::App& command, HealthArguments& arguments) {
  command
      .add_option("--service", arguments.service,
                  "Full name of one service; default: the server as a whole")
      ->type_name("NAME");
  DefineConnectionOptions(command, arguments.connection);
}

ExitCode RunHealth(const HealthArguments& arguments) {
  using grpc::health::v1::HealthCheckResponse;
  const auto channel = OpenChannel(arguments.connection.server, arguments.connection.tls);
  if (!channel.ok()) return Fail(ExitCode::kFile, channel.status());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       arguments.connection.timeout().value_or(kDefaultTimeout));
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(arguments.service);
  HealthCheckResponse response;
  const auto stub = grpc::health::v1::Health::NewStub(*channel);
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return FailCall(FromGrpcStatus(status));
  std::printf("%s\n", HealthCheckResponse::ServingStatus_Name(response.status()).c_str());
  return response.status() == HealthCheckResponse::SERVING ? ExitCode::kOk : ExitCode::kUnavailable;
}

}  // namespace nnseg
