#ifndef NNSEG_SERVER_SEGMENTATION_SERVICE_H_
#define NNSEG_SERVER_SEGMENTATION_SERVICE_H_

#include "segmentation/v1/segmentation_service.grpc.pb.h"
#include "server/segment_reactor.h"

namespace nnseg {

/// segmentation.v1.SegmentationService: one SegmentReactor a stream.
class SegmentationServiceImpl final
    : public ::segmentation::v1::SegmentationService::WithRawCallbackMethod_Segment<
          ::segmentation::v1::SegmentationService::Service> {
 public:
  explicit SegmentationServiceImpl(SegmentHost host) : host_(host) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Segment(
      grpc::CallbackServerContext* context) override {
    return new SegmentReactor(*context, host_);  // deletes itself when the stream is done
  }

 private:
  SegmentHost host_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_SEGMENTATION_SERVICE_H_
