#ifndef NNSEG_SERVER_VOLUME_SERVICE_H_
#define NNSEG_SERVER_VOLUME_SERVICE_H_

#include "segmentation/v1/volume_service.grpc.pb.h"
#include "server/upload_reactor.h"

namespace nnseg {

/// segmentation.v1.VolumeService: one UploadReactor a stream; releases are answered at once.
class VolumeServiceImpl final
    : public ::segmentation::v1::VolumeService::WithRawCallbackMethod_UploadVolume<
          ::segmentation::v1::VolumeService::WithCallbackMethod_ReleaseVolume<
              ::segmentation::v1::VolumeService::Service>> {
 public:
  explicit VolumeServiceImpl(UploadHost host) : host_(host) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* UploadVolume(grpc::CallbackServerContext* context,
                                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ReleaseVolume(
      grpc::CallbackServerContext* context, const ::segmentation::v1::ReleaseVolumeRequest* request,
      ::segmentation::v1::ReleaseVolumeResponse* response) override;

 private:
  UploadHost host_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_VOLUME_SERVICE_H_
