#include "core/inference/openvino/openvino_precision.h"

#include <cpuid.h>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

// VNNI, in its AVX-512 or its AVX form; g++ 12 cannot be asked for the latter by name.
bool HasByteProducts() {
  if (__builtin_cpu_supports("avx512vnni")) return true;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kAvxVnni = 1U << 4;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
}

}  // namespace

bool IsInt8(const std::string& precision) {
  return precision == "int8" || precision == "int8_bf16";
}

bool IsBf16(const std::string& precision) {
  return precision == "bf16" || precision == "int8_bf16";
}

absl::Status OpenvinoSupports(const std::string& precision) {
  if (precision != "fp32" && !IsBf16(precision) && !IsInt8(precision)) {
    return absl::FailedPreconditionError(
        absl::StrCat("openvino has no ", precision, " on a processor"));
  }
  // Every processor with AMX for bf16 has these as well.
  if (IsBf16(precision) && !__builtin_cpu_supports("avx512bf16")) {
    return absl::FailedPreconditionError("this processor has no bf16 instructions (avx512_bf16)");
  }
  if (IsInt8(precision) && !HasByteProducts()) {
    return absl::FailedPreconditionError("this processor has no int8 instructions (VNNI)");
  }
  return absl::OkStatus();
}

}  // namespace nnseg
