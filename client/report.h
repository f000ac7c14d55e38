#ifndef NNSEG_CLIENT_REPORT_H_
#define NNSEG_CLIENT_REPORT_H_

#include <string>

#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// What the server did, for people: model and settings, volume of each label, time of each stage.
/// Labels without a voxel are counted in one line. Ends with a newline.
std::string FormatReport(const ::segmentation::v1::Summary& summary);

/// The same as one JSON object, all labels included; units stand in the keys.
std::string ReportAsJson(const ::segmentation::v1::Accepted& accepted,
                         const ::segmentation::v1::Summary& summary);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_REPORT_H_
