#include "client/model_info.h"

#include <grpcpp/client_context.h>

#include "core/base/status_macros.h"
#include "proto/wire/status_codec.h"
#include "segmentation/v1/model_service.grpc.pb.h"

namespace nnseg {

namespace pb = ::segmentation::v1;

absl::StatusOr<pb::GetModelResponse> GetModel(const std::shared_ptr<grpc::Channel>& channel,
                                              const pb::ModelSpec& model,
                                              std::optional<std::chrono::milliseconds> timeout) {
  grpc::ClientContext context;
  if (timeout.has_value()) context.set_deadline(std::chrono::system_clock::now() + *timeout);
  pb::GetModelRequest request;
  *request.mutable_model() = model;
  pb::GetModelResponse response;
  const grpc::Status status =
      pb::ModelService::NewStub(channel)->GetModel(&context, request, &response);
  NNSEG_RETURN_IF_ERROR(FromGrpcStatus(status));
  return response;
}

absl::StatusOr<const ImageFormat*> FormatOf(const pb::GetModelResponse& model) {
  const std::string& reader = model.image_reader_writer();
  return FindImageFormat(reader.empty() ? "SimpleITKIO" : reader);
}

}  // namespace nnseg
