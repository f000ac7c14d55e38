#include "server/readiness.h"

#include "segmentation/v1/model_service.grpc.pb.h"
#include "segmentation/v1/segmentation_service.grpc.pb.h"
#include "segmentation/v1/volume_service.grpc.pb.h"

namespace nnseg {

Readiness::Readiness(const ModelRepository& repository, grpc::HealthCheckServiceInterface& health)
    : repository_(repository), health_(health) {
  Update();
}

void Readiness::Update() {
  std::lock_guard lock(mu_);
  ready_ = !draining_ && repository_.AnyReady();
  for (const char* service : {"", ::segmentation::v1::SegmentationService::service_full_name(),
                              ::segmentation::v1::ModelService::service_full_name(),
                              ::segmentation::v1::VolumeService::service_full_name()}) {
    health_.SetServingStatus(service, ready_);
  }
}

void Readiness::BeginDrain() {
  draining_ = true;
  Update();
}

const char* Readiness::reason() const {
  return ready_ ? "ready" : draining_ ? "draining" : "no model is ready";
}

}  // namespace nnseg
