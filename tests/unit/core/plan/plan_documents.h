#ifndef NNSEG_TESTS_UNIT_CORE_PLAN_PLAN_DOCUMENTS_H_
#define NNSEG_TESTS_UNIT_CORE_PLAN_PLAN_DOCUMENTS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "core/plan/plans_json.h"

namespace nnseg {

/// A plans.json of the usual form with one configuration, "3d_fullres", for two channels: CT and
/// masked z-score.
inline nlohmann::ordered_json UsualPlans() {
  return nlohmann::ordered_json::parse(R"({
    "dataset_name": "Dataset007_Test",
    "plans_name": "nnUNetPlans",
    "image_reader_writer": "SimpleITKIO",
    "transpose_forward": [2, 0, 1],
    "transpose_backward": [1, 2, 0],
    "label_manager": "LabelManager",
    "configurations": {
      "3d_fullres": {
        "preprocessor_name": "DefaultPreprocessor",
        "patch_size": [64, 96, 128],
        "spacing": [3.0, 0.8, 0.75],
        "normalization_schemes": ["CTNormalization", "ZScoreNormalization"],
        "use_mask_for_norm": [false, true],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs":
          {"is_seg": false, "order": 3, "order_z": 0, "force_separate_z": null},
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_seg_kwargs":
          {"is_seg": true, "order": 1, "order_z": 0, "force_separate_z": null},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs":
          {"is_seg": false, "order": 1, "order_z": 0, "force_separate_z": null},
        "architecture": {"network_class_name": "PlainConvUNet", "arch_kwargs": {}}
      }
    },
    "foreground_intensity_properties_per_channel": {
      "0": {"mean": 99.5, "std": 80.25, "percentile_00_5": -50.0, "percentile_99_5": 250.0,
            "median": 98.0, "min": -1000.0, "max": 3000.0},
      "1": {"mean": 1.0, "std": 2.0, "percentile_00_5": 0.0, "percentile_99_5": 3.0}
    }
  })");
}

inline nlohmann::ordered_json UsualDataset() {
  return nlohmann::ordered_json::parse(R"({
    "channel_names": {"0": "CT", "1": "PET"},
    "labels": {"background": 0, "liver": 2, "tumour": 1},
    "file_ending": ".nii.gz"
  })");
}

/// The one configuration of UsualPlans.
inline nlohmann::ordered_json& FullRes(nlohmann::ordered_json& plans) {
  return plans["configurations"]["3d_fullres"];
}

inline absl::StatusOr<SegmentationPlan> Parse(
    const nlohmann::ordered_json& plans, const nlohmann::ordered_json& dataset = UsualDataset(),
    const std::string& configuration = "3d_fullres") {
  return ParseSegmentationPlan(plans.dump(), dataset.dump(), configuration);
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_UNIT_CORE_PLAN_PLAN_DOCUMENTS_H_
