#ifndef NNSEG_SERVER_READINESS_H_
#define NNSEG_SERVER_READINESS_H_

#include <grpcpp/health_check_service_interface.h>

#include <atomic>

#include "core/model/model_repository.h"

namespace nnseg {

/// Whether the server should get requests: a model is ready and the server does not stop. Tells the
/// gRPC health service, for "" and for each service by name. Thread-safe.
class Readiness {
 public:
  /// Starts as NOT_SERVING. Both must outlive it.
  Readiness(const ModelRepository& repository, grpc::HealthCheckServiceInterface& health);

  /// Looks again: after a model was loaded or unloaded.
  void Update();
  /// The server stops: never ready again.
  void BeginDrain();

  bool ready() const { return ready_; }
  /// "ready", "draining" or "no model is ready", for the HTTP probe.
  const char* reason() const;

 private:
  const ModelRepository& repository_;
  grpc::HealthCheckServiceInterface& health_;
  std::mutex mu_;  // keeps updates in order
  std::atomic<bool> draining_{false};
  std::atomic<bool> ready_{false};
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_READINESS_H_
