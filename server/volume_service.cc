#include "server/volume_service.h"

#include "proto/wire/status_codec.h"
#include "server/peer_identity.h"

namespace nnseg {

grpc::ServerReadReactor<grpc::ByteBuffer>* VolumeServiceImpl::UploadVolume(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return new UploadReactor(*context, host_, *response);  // deletes itself when the stream is done
}

grpc::ServerUnaryReactor* VolumeServiceImpl::ReleaseVolume(
    grpc::CallbackServerContext* context, const ::segmentation::v1::ReleaseVolumeRequest* request,
    ::segmentation::v1::ReleaseVolumeResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(
      host_.volumes.Release(request->volume_id(), PeerIdentity(*context->auth_context()))));
  return reactor;
}

}  // namespace nnseg
