#include "client/segmentation_client.h"

#include <thread>

#include "client/label_assembler.h"
#include "core/base/status_macros.h"
#include "proto/wire/chunk_writer.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/status_codec.h"

namespace nnseg {
namespace {

using Stream = grpc::ClientReaderWriterInterface<pb::SegmentRequest, pb::SegmentResponse>;

pb::SegmentRequest MakeHeader(const Image& image, const SegmentParameters& parameters) {
  pb::SegmentRequest request;
  pb::SegmentHeader& header = *request.mutable_header();
  *header.mutable_model() = parameters.model;
  *header.mutable_geometry() = ToProto(image.geometry);
  header.set_pixel_type(ToProto(image.voxels.pixel_type()));
  header.set_channels(static_cast<int32_t>(image.voxels.channels()));
  *header.mutable_options() = parameters.options;
  header.set_request_id(parameters.request_id);
  return request;
}

/// Sends header and voxels; ends early, without an error of its own, when the stream does.
void Upload(const Image& image, const SegmentParameters& parameters, Stream& stream) {
  if (!stream.Write(MakeHeader(image, parameters))) return;
  ChunkWriter chunks(image.voxels.bytes());
  pb::SegmentRequest request;
  while (chunks.Next(request)) {
    if (!stream.Write(request)) return;
  }
  stream.WritesDone();
}

/// Takes one event; unknown ones are skipped.
absl::Status Take(const pb::SegmentResponse& response, const SegmentParameters& parameters,
                  LabelAssembler& assembler, SegmentResult& result) {
  switch (response.event_case()) {
    case pb::SegmentResponse::kAccepted:
      result.accepted = response.accepted();
      break;
    case pb::SegmentResponse::kProgress:
      if (parameters.on_progress) parameters.on_progress(response.progress());
      break;
    case pb::SegmentResponse::kResultHeader:
      return assembler.Start(response.result_header());
    case pb::SegmentResponse::kLabelChunk:
      return assembler.Add(response.label_chunk());
    case pb::SegmentResponse::kSummary:
      result.summary = response.summary();
      break;
    case pb::SegmentResponse::kProbabilityChunk:
    case pb::SegmentResponse::EVENT_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void CallCanceller::Cancel() {
  std::lock_guard lock(mu_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void CallCanceller::Attach(grpc::ClientContext* context) {
  std::lock_guard lock(mu_);
  context_ = context;
  if (cancelled_) context->TryCancel();
}

void CallCanceller::Detach() {
  std::lock_guard lock(mu_);
  context_ = nullptr;
}

SegmentationClient::SegmentationClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(pb::SegmentationService::NewStub(channel)) {}

absl::StatusOr<SegmentResult> SegmentationClient::Segment(
    const Image& image, const SegmentParameters& parameters) const {
  grpc::ClientContext context;
  if (parameters.timeout.has_value()) {
    context.set_deadline(std::chrono::system_clock::now() + *parameters.timeout);
  }
  // Before the stream: opening it waits for a connection.
  if (parameters.canceller != nullptr) parameters.canceller->Attach(&context);
  const std::unique_ptr<Stream> stream = stub_->Segment(&context);

  SegmentResult result;
  LabelAssembler assembler(image.geometry);
  absl::Status taken;
  {
    std::jthread upload([&] { Upload(image, parameters, *stream); });
    pb::SegmentResponse response;
    while (stream->Read(&response)) {
      if (!taken.ok()) continue;  // drain a call that was given up
      taken = Take(response, parameters, assembler, result);
      if (!taken.ok()) context.TryCancel();
    }
  }
  const absl::Status finished = FromGrpcStatus(stream->Finish());
  if (parameters.canceller != nullptr) parameters.canceller->Detach();
  NNSEG_RETURN_IF_ERROR(taken);
  NNSEG_RETURN_IF_ERROR(finished);
  if (!result.summary.has_model()) {
    return absl::DataLossError("server's answer: ended without a summary");
  }
  NNSEG_ASSIGN_OR_RETURN(result.labels,
                         std::move(assembler).Finish(result.summary.label_map_crc32()));
  return result;
}

}  // namespace nnseg
