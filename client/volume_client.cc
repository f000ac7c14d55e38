#include "client/volume_client.h"

#include "client/send_chunks.h"
#include "core/base/status_macros.h"
#include "proto/wire/duration_codec.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/status_codec.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

pb::UploadVolumeRequest MakeHeader(const Image& image, const VolumeParameters& parameters) {
  pb::UploadVolumeRequest request;
  pb::VolumeHeader& header = *request.mutable_header();
  *header.mutable_geometry() = ToProto(image.geometry);
  header.set_pixel_type(ToProto(image.voxels.pixel_type()));
  header.set_channels(static_cast<int32_t>(image.voxels.channels()));
  if (parameters.idle_timeout.has_value()) {
    *header.mutable_idle_timeout() = ToProto(*parameters.idle_timeout);
  }
  return request;
}

void SetTimeout(std::optional<std::chrono::milliseconds> timeout, grpc::ClientContext& context) {
  if (timeout.has_value()) context.set_deadline(std::chrono::system_clock::now() + *timeout);
}

}  // namespace

VolumeClient::VolumeClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(pb::VolumeService::NewStub(channel)) {}

absl::StatusOr<pb::UploadVolumeResponse> VolumeClient::Upload(
    const Image& image, const VolumeParameters& parameters) const {
  grpc::ClientContext context;
  SetTimeout(parameters.timeout, context);
  if (parameters.canceller != nullptr) parameters.canceller->Attach(&context);
  pb::UploadVolumeResponse response;
  const auto stream = stub_->UploadVolume(&context, &response);
  // A stream that ends early says why in its status.
  if (stream->Write(MakeHeader(image, parameters)) &&
      SendChunks<pb::UploadVolumeRequest>(image.voxels.bytes(), 0, *stream)) {
    stream->WritesDone();
  }
  const absl::Status finished = FromGrpcStatus(stream->Finish());
  if (parameters.canceller != nullptr) parameters.canceller->Detach();
  NNSEG_RETURN_IF_ERROR(finished);
  return response;
}

absl::Status VolumeClient::Release(const std::string& volume_id,
                                   std::optional<std::chrono::milliseconds> timeout) const {
  grpc::ClientContext context;
  SetTimeout(timeout, context);
  pb::ReleaseVolumeRequest request;
  request.set_volume_id(volume_id);
  pb::ReleaseVolumeResponse response;
  return FromGrpcStatus(stub_->ReleaseVolume(&context, request, &response));
}

}  // namespace nnseg
