#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "proto/wire/chunk_assembler.h"
#include "proto/wire/status_codec.h"
#include "server/event_log.h"
#include "server/server_credentials.h"

namespace nnseg {
namespace {

using Seconds = std::chrono::duration<double>;

/// One chunk and what surrounds it.
constexpr int kMaxMessageBytes = static_cast<int>(kMaxChunkBytes) + (64 << 10);
constexpr std::chrono::seconds kAbortGrace(5);

/// The reflection library offers itself to every server that is built; this takes it away.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins,
                  [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; });
  }
};

void SetConnectionLimits(const ConnectionConfig& config, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // Images hardly compress, and a compressed message could blow up on arrival.
  builder.SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  const auto argument = [&](const char* name, int value) {
    builder.AddChannelArgument(name, value);
  };
  argument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server on the port must fail, not share it
  argument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.max_concurrent_streams());
  argument(GRPC_ARG_KEEPALIVE_TIME_MS, config.keepalive_seconds() * 1000);
  argument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, config.keepalive_timeout_seconds() * 1000);
  argument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  argument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30 * 1000);
  argument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  argument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, config.max_idle_seconds() * 1000);
  argument(GRPC_ARG_MAX_CONNECTION_AGE_MS, config.max_age_seconds() * 1000);
  argument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, config.max_age_grace_seconds() * 1000);
  argument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, config.handshake_seconds() * 1000);
}

std::vector<prometheus::MetricFamily> CollectModelStates(const ModelRepository& repository) {
  prometheus::MetricFamily family{
      "nnseg_model_state", "1 for the state of a model version", prometheus::MetricType::Gauge, {}};
  for (const ModelStatus& status : repository.List()) {
    prometheus::ClientMetric sample;
    sample.label = {{"model", status.name},
                    {"version", absl::StrCat(status.version)},
                    {"state", NameOf(status.state)}};
    sample.gauge.value = 1;
    family.metric.push_back(std::move(sample));
  }
  return {std::move(family)};
}

std::vector<prometheus::MetricFamily> CollectQueueDepths(const PipelineExecutor& executor) {
  prometheus::MetricFamily family{"nnseg_queue_depth",
                                  "Cases that wait to be prepared or predicted, by priority",
                                  prometheus::MetricType::Gauge,
                                  {}};
  for (const Priority priority : {Priority::kInteractive, Priority::kBatch}) {
    prometheus::ClientMetric sample;
    sample.label = {{"priority", NameOf(priority)}};
    sample.gauge.value = executor.queue_depth(priority);
    family.metric.push_back(std::move(sample));
  }
  return {std::move(family)};
}

int64_t MemoryBudget(const LimitConfig& limits) {
  return limits.memory_bytes() > 0 ? limits.memory_bytes() : DefaultMemoryBudget();
}

/// Of the one device that engines compute on beside the host; null if there is none.
std::shared_ptr<const DeviceMemory> MemoryOfDevice(const Engines& engines) {
  for (const Engine& engine : engines) {
    if (auto memory = engine.loader->device_memory()) return memory;
  }
  return nullptr;
}

VolumeStore::Options VolumeOptions(const VolumeConfig& volumes, int64_t memory_budget) {
  return {.byte_limit = volumes.memory_bytes() > 0 ? volumes.memory_bytes() : memory_budget / 2,
          .max_volumes = volumes.max_volumes(),
          .max_idle = std::chrono::ceil<VolumeStore::Clock::duration>(
              Seconds(volumes.idle_timeout_seconds()))};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerConfig& config, Engines engines) {
  auto server = std::unique_ptr<Server>(new Server(config, std::move(engines)));
  NNSEG_RETURN_IF_ERROR(server->repository_.Scan());
  NNSEG_RETURN_IF_ERROR(server->StartGrpc());
  NNSEG_RETURN_IF_ERROR(server->StartHttp());
  LogEvent(LogLevel::kInfo, "listening",
           {{"grpc_port", server->grpc_port()}, {"http_port", server->http_port()}});
  return server;
}

Server::Server(const ServerConfig& config, Engines engines)
    : config_(config),
      device_memory_(MemoryOfDevice(engines)),
      repository_(config.model_repository(), std::move(engines)),
      admission_(MemoryBudget(config.limits()), config.limits().max_cases(), "case",
                 device_memory_),
      volumes_(VolumeOptions(config.volumes(), admission_.byte_limit()), admission_),
      executor_({.queue_capacity = config.limits().max_cases(),
                 .prepare_threads = config.engines().prepare_threads(),
                 .concurrent_cases = config.engines().concurrent_cases()}),
      monitor_([this] {
        executor_.DropStopped();
        volumes_.DropIdle();
      }),
      segmentation_service_(
          {.repository = repository_,
           .admission = admission_,
           .volumes = volumes_,
           .executor = executor_,
           .metrics = metrics_,
           .monitor = monitor_,
           .draining = draining_,
           .max_request = Seconds(config.limits().max_request_seconds()),
           .stall = Seconds(config.limits().stall_seconds()),
           .max_unsent_bytes = static_cast<std::size_t>(config.limits().max_unsent_bytes())}),
      model_service_(repository_, config.allow_model_control(), [this] { readiness_->Update(); }),
      volume_service_({.volumes = volumes_,
                       .metrics = metrics_,
                       .monitor = monitor_,
                       .draining = draining_,
                       .max_request = Seconds(config.limits().max_request_seconds()),
                       .stall = Seconds(config.limits().stall_seconds())}) {
  AddCollectors();
}

absl::Status Server::StartGrpc() {
  NNSEG_ASSIGN_OR_RETURN(credentials_, MakeServerCredentials(config_.tls()));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetConnectionLimits(config_.connections(), builder);
  if (config_.reflection()) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  } else {
    builder.SetOption(std::make_unique<WithoutReflection>());
  }
  builder.AddListeningPort(config_.listen(), credentials_, &grpc_port_);
  builder.RegisterService(&segmentation_service_);
  builder.RegisterService(&model_service_);
  builder.RegisterService(&volume_service_);
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || grpc_port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen for gRPC on ", config_.listen(),
                     config_.tls().certificate_file().empty()
                         ? ""
                         : ": is it free, and does the TLS key belong to the certificate?"));
  }
  readiness_ = std::make_unique<Readiness>(repository_, *grpc_->GetHealthCheckService());
  return absl::OkStatus();
}

absl::Status Server::StartHttp() {
  NNSEG_ASSIGN_OR_RETURN(
      http_, HttpServer::Start(
                 config_.http(),
                 {{"/metrics",
                   [this] {
                     return HttpResponse{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                         .body = metrics_.ToText()};
                   }},
                  {"/livez", [] { return HttpResponse{.body = "alive\n"}; }},
                  {"/readyz", [this] {
                     return HttpResponse{.status = readiness_->ready() ? 200 : 503,
                                         .body = absl::StrCat(readiness_->reason(), "\n")};
                   }}}));
  return absl::OkStatus();
}

void Server::AddCollectors() {
  metrics_.AddCollector([this] { return CollectModelStates(repository_); });
  metrics_.AddGauge("nnseg_open_streams", "Streams that are open",
                    [this] { return monitor_.size(); });
  metrics_.AddGauge("nnseg_inflight_requests", "Cases that hold a place",
                    [this] { return admission_.places_in_use(); });
  metrics_.AddCollector([this] { return CollectQueueDepths(executor_); });
  metrics_.AddGauge("nnseg_admitted_bytes",
                    "Host bytes that admitted cases may need, and those of kept volumes",
                    [this] { return static_cast<double>(admission_.bytes_in_use()); });
  metrics_.AddGauge("nnseg_kept_volumes", "Volumes that are kept between requests",
                    [this] { return volumes_.size(); });
  metrics_.AddGauge("nnseg_kept_volume_bytes", "Host bytes of kept volumes and prepared forms",
                    [this] { return static_cast<double>(volumes_.bytes()); });
  metrics_.AddCounter("nnseg_prepared_reused_total",
                      "Runs that found their image prepared with its kept volume",
                      [this] { return static_cast<double>(volumes_.prepared_hits()); });
  metrics_.AddGauge("nnseg_admission_limit_bytes", "Host bytes that cases may need together",
                    [this] { return static_cast<double>(admission_.byte_limit()); });
  metrics_.AddGauge("nnseg_admitted_device_bytes", "Device bytes that admitted cases may need",
                    [this] { return static_cast<double>(admission_.device_bytes_in_use()); });
  metrics_.AddGauge("nnseg_admission_device_limit_bytes",
                    "Device bytes that cases may need together: what networks leave",
                    [this] { return static_cast<double>(admission_.device_byte_limit()); });
}

void Server::LoadModels() {
  repository_.LoadAll();
  readiness_->Update();
  for (const ModelStatus& status : repository_.List()) {
    LogFields fields{
        {"model", status.name}, {"version", status.version}, {"state", NameOf(status.state)}};
    if (!status.error.ok()) fields["message"] = status.error.message();
    LogEvent(status.error.ok() ? LogLevel::kInfo : LogLevel::kError, "model", fields);
  }
  LogEvent(LogLevel::kInfo, readiness_->ready() ? "ready" : "no_model_ready");
}

void Server::Drain() {
  LogEvent(LogLevel::kInfo, "drain", {{"open_streams", monitor_.size()}});
  readiness_->BeginDrain();
  std::this_thread::sleep_for(Seconds(config_.drain().delay_seconds()));
  draining_ = true;
  if (!monitor_.WaitUntilEmpty(Seconds(config_.drain().timeout_seconds()))) {
    LogEvent(LogLevel::kWarning, "drain_timeout", {{"open_streams", monitor_.size()}});
  }
  monitor_.AbortAll();
  monitor_.WaitUntilEmpty(kAbortGrace);
  grpc_->Shutdown(std::chrono::system_clock::now() + kAbortGrace);
  LogEvent(LogLevel::kInfo, "drained");
}

Server::~Server() {
  if (grpc_ == nullptr) return;
  draining_ = true;
  monitor_.AbortAll();
  grpc_->Shutdown(std::chrono::system_clock::now() + kAbortGrace);
  monitor_.WaitUntilEmpty(Seconds(1e9));  // cases stop within one pass
}

}  // namespace nnseg
