#ifndef NNSEG_SERVER_SERVER_H_
#define NNSEG_SERVER_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "core/model/model_repository.h"
#include "core/pipeline/pipeline_executor.h"
#include "server/admission.h"
#include "server/http_server.h"
#include "server/metrics.h"
#include "server/model_service.h"
#include "server/readiness.h"
#include "server/segmentation_service.h"
#include "server/server_config.pb.h"
#include "server/stream_monitor.h"
#include "server/volume_service.h"
#include "server/volume_store.h"

namespace nnseg {

/// The whole service over one model repository: gRPC and HTTP ports, pipeline and models. It knows
/// engines only by their interface. Start, LoadModels and Drain belong to one thread; LoadModels
/// may run beside Drain.
class Server {
 public:
  /// Opens both ports; until LoadModels has made a model ready, health says NOT_SERVING.
  /// REQUIRES: ValidateConfig(config).ok(). NOT_FOUND when the repository is no folder,
  /// INVALID_ARGUMENT for unusable TLS files, UNAVAILABLE when a port cannot be opened.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerConfig& config, Engines engines);

  /// Stops at once: running requests are cancelled.
  ~Server();

  /// Loads the newest version of every model and logs what came of it.
  void LoadModels();

  /// Stops in order: health turns NOT_SERVING, after the configured delay new requests are refused,
  /// running ones may finish within the configured time, the rest are cancelled.
  void Drain();

  int grpc_port() const { return grpc_port_; }
  int http_port() const { return http_->port(); }
  const Admission& admission() const { return admission_; }

 private:
  Server(const ServerConfig& config, Engines engines);
  absl::Status StartGrpc();
  absl::Status StartHttp();
  void AddCollectors();

  const ServerConfig config_;
  std::atomic<bool> draining_{false};
  // Each part uses only those above it.
  Metrics metrics_;
  const std::shared_ptr<const DeviceMemory> device_memory_;  // null without a device
  ModelRepository repository_;
  Admission admission_;
  VolumeStore volumes_;
  PipelineExecutor executor_;
  StreamMonitor monitor_;
  std::unique_ptr<Readiness> readiness_;
  SegmentationServiceImpl segmentation_service_;
  ModelServiceImpl model_service_;
  VolumeServiceImpl volume_service_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  int grpc_port_ = 0;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_SERVER_H_
