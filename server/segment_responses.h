#ifndef NNSEG_SERVER_SEGMENT_RESPONSES_H_
#define NNSEG_SERVER_SEGMENT_RESPONSES_H_

#include <cstdint>
#include <string>

#include "core/pipeline/segmentation_case.h"
#include "segmentation/v1/segmentation_service.pb.h"
#include "server/segment_header.h"

namespace nnseg {

/// The messages that a Segment stream sends, from core types.

::segmentation::v1::Stage ToProto(Stage stage);

::segmentation::v1::SegmentResponse AcceptedResponse(const std::string& request_id,
                                                     const AcceptedCase& accepted);

/// How far a running case is.
struct CaseProgress {
  Stage stage = Stage::kQueued;
  int64_t passes_done = 0;
  int64_t passes_total = 0;
  double infer_seconds = 0;  ///< since inference began
};

/// With the time left at the rate so far, once there is one.
::segmentation::v1::SegmentResponse ProgressResponse(const CaseProgress& progress);

::segmentation::v1::SegmentResponse ResultHeaderResponse(const AcceptedCase& accepted,
                                                         LabelType type,
                                                         const std::vector<Box3>& labelled_boxes);

/// `receive_seconds`: how long the upload took.
::segmentation::v1::SegmentResponse SummaryResponse(const AcceptedCase& accepted,
                                                    const SegmentationSummary& summary,
                                                    double receive_seconds,
                                                    uint32_t label_map_crc32);

}  // namespace nnseg

#endif  // NNSEG_SERVER_SEGMENT_RESPONSES_H_
