#ifndef NNSEG_CLIENT_MODEL_INFO_H_
#define NNSEG_CLIENT_MODEL_INFO_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "client/io/image_format.h"
#include "segmentation/v1/model_service.pb.h"

namespace nnseg {

/// Asks the server for one model version; version 0 is the newest ready one. The server's status
/// comes back as it is.
absl::StatusOr<::segmentation::v1::GetModelResponse> GetModel(
    const std::shared_ptr<grpc::Channel>& channel, const ::segmentation::v1::ModelSpec& model,
    std::optional<std::chrono::milliseconds> timeout);

/// The format in which the model's images must be read; SimpleITKIO's when the server names none.
/// INVALID_ARGUMENT for a reader that this client does not know.
absl::StatusOr<const ImageFormat*> FormatOf(const ::segmentation::v1::GetModelResponse& model);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_MODEL_INFO_H_
