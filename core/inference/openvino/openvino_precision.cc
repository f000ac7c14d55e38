#include "core/inference/openvino/openvino_precision.h"

#include "absl/strings/str_cat.h"

namespace nnseg {

absl::Status OpenvinoSupports(const std::string& precision) {
  if (precision == "fp32" || precision == "int8") return absl::OkStatus();
  if (precision != "bf16") {
    return absl::FailedPreconditionError(
        absl::StrCat("openvino has no ", precision, " on a processor"));
  }
  // Every processor with AMX for bf16 has these as well.
  if (__builtin_cpu_supports("avx512bf16")) return absl::OkStatus();
  return absl::FailedPreconditionError("this processor has no bf16 instructions (avx512_bf16)");
}

}  // namespace nnseg
