#include "tests/parity/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/verified_file.h"
#include "tests/support/golden.h"

namespace nnseg::parity {
namespace {

// Every stride-th voxel along each spatial axis.
template <typename T>
std::vector<T> Kept(const Volume<T>& volume, int64_t stride) {
  const Shape3& shape = volume.shape();
  std::vector<T> kept;
  for (int64_t c = 0; c < volume.channels(); ++c) {
    for (int64_t z = 0; z < shape[0]; z += stride) {
      for (int64_t y = 0; y < shape[1]; y += stride) {
        for (int64_t x = 0; x < shape[2]; x += stride) kept.push_back(volume.at(c, {{z, y, x}}));
      }
    }
  }
  return kept;
}

template <typename T>
std::string DescribeDifference(const std::vector<T>& ours, const std::string& path) {
  if (path.empty()) return "differs";
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<T> theirs(bytes.size() / sizeof(T));
  if (theirs.size() != ours.size()) return "differs from a file of another size";
  std::memcpy(theirs.data(), bytes.data(), bytes.size());
  int64_t differing = 0;
  float largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto a = static_cast<float>(ours[i]);
    const auto b = static_cast<float>(theirs[i]);
    differing += a == b ? 0 : 1;
    largest = std::max(largest, std::abs(a - b));
  }
  return absl::StrCat(differing, " of ", ours.size(), " values differ, largest difference ",
                      largest);
}

template <typename T>
StageAgreement CompareStage(std::string name, const Volume<T>& ours,
                            const StageReference& reference) {
  const Shape3& shape = ours.shape();
  if (reference.shape != std::vector<int64_t>{ours.channels(), shape[0], shape[1], shape[2]}) {
    return {std::move(name), false,
            absl::StrCat("shape ", ours.channels(), "x", ToString(shape), ", expected ",
                         absl::StrJoin(reference.shape, "x"))};
  }
  const std::vector<T> kept = Kept(ours, reference.stride);
  std::string bytes(kept.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), kept.data(), bytes.size());
  if (Sha256(bytes) == reference.sha256) return {std::move(name), true, "equal"};
  return {std::move(name), false, DescribeDifference(kept, reference.file)};
}

}  // namespace

absl::StatusOr<Agreement> CompareResult(const ParityCase& parity_case, const CaseResult& result) {
  NNSEG_ASSIGN_OR_RETURN(const Volume<uint16_t> expected, LoadLabels(parity_case.labels));
  if (expected.shape() != result.labels.shape()) {
    return absl::InternalError(absl::StrCat("label map is ", ToString(result.labels.shape()),
                                            ", expected ", ToString(expected.shape())));
  }
  Agreement agreement{.voxels = expected.size()};
  for (std::size_t i = 0; i < expected.voxels().size(); ++i) {
    agreement.differing += expected.voxels()[i] == result.labels.voxels()[i] ? 0 : 1;
  }
  agreement.same_label_type =
      parity_case.label_type.value_or(result.label_type) == result.label_type;
  if (parity_case.probabilities.empty()) return agreement;
  const Volume<float> probabilities = ReadNpy<float>(parity_case.probabilities);
  if (probabilities.size() != result.probabilities.size()) {
    return absl::InternalError(absl::StrCat(result.probabilities.size(),
                                            " probabilities, expected ", probabilities.size()));
  }
  for (std::size_t i = 0; i < probabilities.voxels().size(); ++i) {
    const double difference =
        std::abs(double{probabilities.voxels()[i]} - double{result.probabilities.voxels()[i]});
    agreement.largest_probability_difference =
        std::max(agreement.largest_probability_difference, difference);
  }
  return agreement;
}

std::vector<StageAgreement> CompareStages(const ParityCase& parity_case,
                                          const std::vector<StagedRun>& runs) {
  std::vector<StageAgreement> stages;
  for (std::size_t i = 0; i < std::min(runs.size(), parity_case.runs.size()); ++i) {
    const RunReference& reference = parity_case.runs[i];
    if (reference.preprocessed) {
      stages.push_back(CompareStage(runs[i].model + " preprocessed", runs[i].preprocessed,
                                    *reference.preprocessed));
    }
    if (reference.logits) {
      stages.push_back(CompareStage(runs[i].model + " logits", runs[i].logits, *reference.logits));
    }
  }
  if (runs.size() != parity_case.runs.size()) {
    stages.push_back(
        {"runs", false,
         absl::StrCat(runs.size(), " models ran, expected ", parity_case.runs.size())});
  }
  return stages;
}

std::string ToString(const std::vector<StageAgreement>& stages) {
  return absl::StrJoin(stages, "\n", [](std::string* out, const StageAgreement& stage) {
    absl::StrAppend(out, stage.name, ": ", stage.text);
  });
}

}  // namespace nnseg::parity
