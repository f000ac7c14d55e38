#include "server/segment_header.h"

#include <algorithm>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/pipeline/case_check.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/region_codec.h"
#include "server/image_upload.h"

namespace nnseg {
namespace {

constexpr std::size_t kMaxRequestIdLength = 64;

absl::StatusOr<std::string> EngineName(pb::EngineChoice choice) {
  switch (choice) {
    case pb::ENGINE_CHOICE_UNSPECIFIED:
    case pb::ENGINE_CHOICE_AUTO:
      return "auto";
    case pb::ENGINE_CHOICE_TORCH:
      return "torch";
    case pb::ENGINE_CHOICE_OPENVINO:
      return "openvino";
    default:
      return absl::InvalidArgumentError(absl::StrCat("options.engine: got ",
                                                     static_cast<int>(choice),
                                                     ", expected one of EngineChoice's 0 to 3"));
  }
}

/// As SegmentationOptions names it.
absl::StatusOr<std::string> PrecisionName(pb::Precision precision) {
  switch (precision) {
    case pb::PRECISION_UNSPECIFIED:
      return "";
    case pb::PRECISION_AUTO:
      return "auto";
    case pb::PRECISION_EXACT:
      return "exact";
    case pb::PRECISION_FP32:
      return "fp32";
    case pb::PRECISION_BF16:
      return "bf16";
    case pb::PRECISION_INT8:
      return "int8";
    case pb::PRECISION_FP16:
      return "fp16";
    case pb::PRECISION_INT8_BF16:
      return "int8_bf16";
    default:
      return absl::InvalidArgumentError(absl::StrCat("options.precision: got ",
                                                     static_cast<int>(precision),
                                                     ", expected one of Precision's 0 to 7"));
  }
}

/// Nothing: the model's default.
absl::StatusOr<std::optional<bool>> Decide(pb::Toggle toggle, const char* name) {
  switch (toggle) {
    case pb::TOGGLE_UNSPECIFIED:
      return std::nullopt;
    case pb::TOGGLE_ON:
      return true;
    case pb::TOGGLE_OFF:
      return false;
    default:
      return absl::InvalidArgumentError(absl::StrCat("options.", name, ": got ",
                                                     static_cast<int>(toggle),
                                                     ", expected one of Toggle's 0 to 2"));
  }
}

absl::StatusOr<Priority> ChoosePriority(pb::Priority wish, bool has_regions) {
  switch (wish) {
    case pb::PRIORITY_UNSPECIFIED:
      return has_regions ? Priority::kInteractive : Priority::kBatch;
    case pb::PRIORITY_INTERACTIVE:
      return Priority::kInteractive;
    case pb::PRIORITY_BATCH:
      return Priority::kBatch;
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "options.priority: got ", static_cast<int>(wish), ", expected one of Priority's 0 to 2"));
  }
}

absl::StatusOr<SegmentationOptions> ReadOptions(const pb::SegmentOptions& message,
                                                bool has_regions) {
  SegmentationOptions options;
  NNSEG_ASSIGN_OR_RETURN(options.engine, EngineName(message.engine()));
  NNSEG_ASSIGN_OR_RETURN(options.precision, PrecisionName(message.precision()));
  options.folds.assign(message.folds().begin(), message.folds().end());
  NNSEG_ASSIGN_OR_RETURN(const auto mirroring, Decide(message.mirroring(), "mirroring"));
  options.use_mirroring = mirroring.value_or(true);
  NNSEG_ASSIGN_OR_RETURN(const auto gaussian, Decide(message.gaussian(), "gaussian"));
  options.use_gaussian = gaussian.value_or(true);
  if (message.tile_step_size() != 0) options.tile_step_size = message.tile_step_size();
  NNSEG_ASSIGN_OR_RETURN(options.postprocess, Decide(message.postprocessing(), "postprocessing"));
  options.provisional_labels = message.provisional_labels();
  if (!pb::ProbabilityType_IsValid(message.probabilities())) {
    return absl::InvalidArgumentError(absl::StrCat("options.probabilities: got ",
                                                   static_cast<int>(message.probabilities()),
                                                   ", expected one of ProbabilityType's 0 to 2"));
  }
  options.probabilities = message.probabilities() != pb::PROBABILITY_TYPE_UNSPECIFIED;
  NNSEG_ASSIGN_OR_RETURN(options.priority, ChoosePriority(message.priority(), has_regions));
  options.reduce_to_deadline = message.reduce_to_meet_deadline();
  return options;
}

absl::StatusOr<pb::LabelEncoding> ChooseEncoding(pb::LabelEncoding wish) {
  switch (wish) {
    case pb::LABEL_ENCODING_UNSPECIFIED:
      return pb::LABEL_ENCODING_ZLIB;
    case pb::LABEL_ENCODING_RAW:
    case pb::LABEL_ENCODING_ZLIB:
      return wish;
    default:
      return absl::InvalidArgumentError(absl::StrCat("options.label_encoding: got ",
                                                     static_cast<int>(wish),
                                                     ", expected one of LabelEncoding's 0 to 2"));
  }
}

/// The type of the previous labels that the header announces, if it does.
absl::StatusOr<std::optional<PixelType>> PreviousLabelsType(const pb::SegmentHeader& header) {
  switch (header.previous_labels_type()) {
    case pb::PIXEL_TYPE_UNSPECIFIED:
      return std::nullopt;
    case pb::PIXEL_TYPE_UINT8:
      return PixelType::kUint8;
    case pb::PIXEL_TYPE_UINT16:
      return PixelType::kUint16;
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "previous_labels_type: got ", static_cast<int>(header.previous_labels_type()),
          ", expected PIXEL_TYPE_UINT8 or PIXEL_TYPE_UINT16"));
  }
}

/// The image's geometry, type and channels: as sent, or those of the kept image.
absl::Status ReadImage(const pb::SegmentHeader& header, const KeptImage* kept,
                       AcceptedCase& result) {
  if (kept == nullptr) {
    NNSEG_ASSIGN_OR_RETURN(result.geometry, FromProto(header.geometry()));
    NNSEG_ASSIGN_OR_RETURN(result.pixel_type, FromProto(header.pixel_type()));
    result.channels = header.channels() == 0 ? 1 : header.channels();
    return absl::OkStatus();
  }
  if (header.has_geometry() || header.pixel_type() != pb::PIXEL_TYPE_UNSPECIFIED ||
      header.channels() != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "volume_id: got it with ", header.has_geometry() ? "a" : "no", " geometry, pixel_type ",
        static_cast<int>(header.pixel_type()), " and channels ", header.channels(),
        ", expected none of them: they are the kept volume's"));
  }
  result.geometry = kept->geometry;
  result.pixel_type = kept->voxels.pixel_type();
  result.channels = kept->voxels.channels();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AcceptedCase> CheckHeader(const pb::SegmentHeader& header,
                                         const ModelRepository& repository, const KeptImage* kept) {
  AcceptedCase result;
  NNSEG_RETURN_IF_ERROR(ReadImage(header, kept, result));
  NNSEG_ASSIGN_OR_RETURN(result.options, ReadOptions(header.options(), header.regions_size() > 0));
  NNSEG_ASSIGN_OR_RETURN(result.label_encoding, ChooseEncoding(header.options().label_encoding()));
  result.probability_type = header.options().probabilities();
  NNSEG_ASSIGN_OR_RETURN(result.previous_labels_type, PreviousLabelsType(header));
  NNSEG_ASSIGN_OR_RETURN(result.model,
                         repository.Borrow(header.model().name(), header.model().version()));
  const bool brings_previous_labels = result.previous_labels_type.has_value();
  NNSEG_RETURN_IF_ERROR(ResolvePrecision(*result.model, brings_previous_labels, result.options));
  NNSEG_ASSIGN_OR_RETURN(result.regions, RegionsFromProto(header.regions(), result.geometry));
  NNSEG_RETURN_IF_ERROR(ValidateOptions(*result.model, result.options, brings_previous_labels,
                                        !result.regions.empty()));

  const auto model_channels = static_cast<int64_t>(result.model->bundle().plan.channels.size());
  if (result.channels != model_channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("channels: got ", result.channels, ", expected ", model_channels));
  }

  const Shape3 shape = result.geometry.shape();
  int64_t sent_bytes = kTransportBytes;
  if (kept == nullptr) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t image_bytes,
                           VoxelBytes(result.pixel_type, result.channels, shape));
    sent_bytes += image_bytes;
  }
  if (brings_previous_labels) {
    NNSEG_ASSIGN_OR_RETURN(const int64_t label_bytes,
                           VoxelBytes(*result.previous_labels_type, 1, shape));
    sent_bytes += label_bytes;
  } else if (kept != nullptr) {
    sent_bytes = 0;
  }
  NNSEG_ASSIGN_OR_RETURN(
      const WorkingBytes working,
      EstimateWorkingBytes(*result.model, result.options, brings_previous_labels, result.pixel_type,
                           shape, result.geometry.spacing(), result.regions));
  result.bytes = sent_bytes + working.host;
  result.device_bytes = working.device;
  return result;
}

std::string RequestIdFor(const std::string& client_id) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (!client_id.empty() && client_id.size() <= kMaxRequestIdLength &&
      std::all_of(client_id.begin(), client_id.end(), allowed)) {
    return client_id;
  }
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

}  // namespace nnseg
