#ifndef NNSEG_CLIENT_CALL_CANCELLER_H_
#define NNSEG_CLIENT_CALL_CANCELLER_H_

#include <grpcpp/client_context.h>

#include <mutex>

namespace nnseg {

/// Lets one thread stop the call that another one waits for. Serves one call after another; must
/// outlive them. Thread-safe.
class CallCanceller {
 public:
  /// Ends the running call, and every later one at once, with CANCELLED. Idempotent.
  void Cancel();

 private:
  friend class SegmentationClient;
  friend class VolumeClient;
  void Attach(grpc::ClientContext* context);
  void Detach();

  std::mutex mu_;
  bool cancelled_ = false;
  grpc::ClientContext* context_ = nullptr;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_CALL_CANCELLER_H_
