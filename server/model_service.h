#ifndef NNSEG_SERVER_MODEL_SERVICE_H_
#define NNSEG_SERVER_MODEL_SERVICE_H_

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "core/base/bounded_queue.h"
#include "core/model/model_repository.h"
#include "segmentation/v1/model_service.grpc.pb.h"

namespace nnseg {

/// segmentation.v1.ModelService. Listing is answered at once; loading and unloading run one after
/// the other on a thread of the service's own.
class ModelServiceImpl final : public ::segmentation::v1::ModelService::CallbackService {
 public:
  /// `on_change` is called after each load and unload. Both must outlive the service.
  ModelServiceImpl(ModelRepository& repository, bool allow_model_control,
                   std::function<void()> on_change);
  /// Finishes what has begun. REQUIRES: the gRPC server has shut down.
  ~ModelServiceImpl() override;

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const ::segmentation::v1::ListModelsRequest* request,
                                       ::segmentation::v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const ::segmentation::v1::GetModelRequest* request,
                                     ::segmentation::v1::GetModelResponse* response) override;
  grpc::ServerUnaryReactor* LoadModel(grpc::CallbackServerContext* context,
                                      const ::segmentation::v1::LoadModelRequest* request,
                                      ::segmentation::v1::LoadModelResponse* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context,
                                        const ::segmentation::v1::UnloadModelRequest* request,
                                        ::segmentation::v1::UnloadModelResponse* response) override;

 private:
  /// Runs `work` on the service's thread and finishes the call with its status.
  grpc::ServerUnaryReactor* Control(grpc::CallbackServerContext& context,
                                    std::function<absl::Status()> work);

  ModelRepository& repository_;
  const bool allow_model_control_;
  const std::function<void()> on_change_;
  BoundedQueue<std::function<void()>> work_;
  std::thread thread_;
};

/// "ready", for metrics and logs.
const char* NameOf(ModelState state);

}  // namespace nnseg

#endif  // NNSEG_SERVER_MODEL_SERVICE_H_
