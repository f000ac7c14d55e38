#include "client/segmentation_client.h"

#include <thread>

#include "client/label_assembler.h"
#include "client/probability_assembler.h"
#include "client/send_chunks.h"
#include "core/base/status_macros.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/status_codec.h"

namespace nnseg {
namespace {

using Stream = grpc::ClientReaderWriterInterface<pb::SegmentRequest, pb::SegmentResponse>;

pb::SegmentRequest MakeHeader(const Image& image, const SegmentParameters& parameters) {
  pb::SegmentRequest request;
  pb::SegmentHeader& header = *request.mutable_header();
  *header.mutable_model() = parameters.model;
  if (parameters.volume_id.empty()) {
    *header.mutable_geometry() = ToProto(image.geometry);
    header.set_pixel_type(ToProto(image.voxels.pixel_type()));
    header.set_channels(static_cast<int32_t>(image.voxels.channels()));
  }
  header.set_volume_id(parameters.volume_id);
  *header.mutable_options() = parameters.options;
  header.mutable_regions()->Add(parameters.regions.begin(), parameters.regions.end());
  header.set_request_id(parameters.request_id);
  if (parameters.previous_labels != nullptr) {
    header.set_previous_labels_type(pb::PIXEL_TYPE_UINT16);
  }
  return request;
}

/// Sends header, voxels unless they are kept, and a previous stage's labels; ends early, without an
/// error of its own, when the stream does.
void Upload(const Image& image, const SegmentParameters& parameters, Stream& stream) {
  if (!stream.Write(MakeHeader(image, parameters))) return;
  uint64_t sent = 0;
  if (parameters.volume_id.empty()) {
    sent = image.voxels.bytes().size();
    if (!SendChunks<pb::SegmentRequest>(image.voxels.bytes(), 0, stream)) return;
  }
  if (parameters.previous_labels != nullptr &&
      !SendChunks<pb::SegmentRequest>(std::as_bytes(parameters.previous_labels->voxels()), sent,
                                      stream)) {
    return;
  }
  stream.WritesDone();
}

/// What the answer's chunks are put into.
struct Assemblers {
  LabelAssembler labels;
  std::optional<ProbabilityAssembler> probabilities;  ///< when they were asked for
};

/// Takes one event; unknown ones are skipped.
absl::Status Take(const pb::SegmentResponse& response, const SegmentParameters& parameters,
                  Assemblers& assemblers, SegmentResult& result) {
  switch (response.event_case()) {
    case pb::SegmentResponse::kAccepted:
      result.accepted = response.accepted();
      break;
    case pb::SegmentResponse::kProgress:
      if (parameters.on_progress) parameters.on_progress(response.progress());
      break;
    case pb::SegmentResponse::kResultHeader:
      NNSEG_RETURN_IF_ERROR(assemblers.labels.Start(response.result_header()));
      if (assemblers.probabilities.has_value()) {
        return assemblers.probabilities->Start(response.result_header());
      }
      break;
    case pb::SegmentResponse::kLabelChunk:
      return assemblers.labels.Add(response.label_chunk());
    case pb::SegmentResponse::kProbabilityChunk:
      if (assemblers.probabilities.has_value()) {
        return assemblers.probabilities->Add(response.probability_chunk());
      }
      break;
    case pb::SegmentResponse::kSummary:
      result.summary = response.summary();
      break;
    case pb::SegmentResponse::EVENT_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

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
  Assemblers assemblers{LabelAssembler(image.geometry), std::nullopt};
  if (parameters.options.probabilities() != pb::PROBABILITY_TYPE_UNSPECIFIED) {
    assemblers.probabilities.emplace(image.geometry, parameters.has_regions);
  }
  absl::Status taken;
  {
    std::jthread upload([&] { Upload(image, parameters, *stream); });
    pb::SegmentResponse response;
    while (stream->Read(&response)) {
      if (!taken.ok()) continue;  // drain a call that was given up
      if (parameters.on_response) parameters.on_response(response);
      taken = Take(response, parameters, assemblers, result);
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
                         std::move(assemblers.labels).Finish(result.summary.label_map_crc32()));
  if (assemblers.probabilities.has_value()) {
    NNSEG_ASSIGN_OR_RETURN(result.probabilities, std::move(*assemblers.probabilities).Finish());
  }
  return result;
}

}  // namespace nnseg
