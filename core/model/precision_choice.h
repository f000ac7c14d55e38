#ifndef NNSEG_CORE_MODEL_PRECISION_CHOICE_H_
#define NNSEG_CORE_MODEL_PRECISION_CHOICE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"

namespace nnseg {

/// The precision in which all `runs` of a case go: "exact" (torch in fp32 on the CPU), "fp32",
/// "bf16", "int8", "int8_bf16" or "fp16". `engine`: "" or "auto", or an engine's name.
///
/// `wish`: one of these names, which every run must offer; "auto", the fastest on the device of the
/// preferred engine that every run offers, by EngineNetworks::relative_time; or "", what `policy`
/// says.
///
/// `policy`: a wish, too, but one that this host or engine cannot follow gives way to fp32; only
/// "exact" does not, unless another engine was asked for. "": what nnU-Net itself runs on the
/// preferred engine's device, fp16 where it offers that (a GPU), else fp32.
///
/// INVALID_ARGUMENT names what is offered, and why the wish is not. REQUIRES: no ensemble in
/// `runs`.
absl::StatusOr<std::string> ChoosePrecision(const std::vector<const LoadedModel*>& runs,
                                            const std::string& policy, const std::string& engine,
                                            const std::string& wish);

/// The preferred networks of `model` for an engine as above and a precision that ChoosePrecision
/// gave for it. Errors as there. REQUIRES: no ensemble.
absl::StatusOr<const EngineNetworks*> FindNetworks(const LoadedModel& model,
                                                   const std::string& engine,
                                                   const std::string& precision);

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_PRECISION_CHOICE_H_
