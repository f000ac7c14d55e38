#include "core/inference/openvino/openvino_guard.h"

#include <exception>
#include <new>

#include "absl/strings/str_cat.h"
#include "core/inference/engine_error.h"

namespace nnseg {

absl::Status GuardOpenvino(const std::function<absl::Status()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("openvino: out of memory");
  } catch (const std::exception& error) {  // ov::Exception among them
    return absl::InternalError(absl::StrCat("openvino: ", EngineErrorLine(error.what())));
  } catch (...) {
    return absl::InternalError("openvino: unknown error");
  }
}

}  // namespace nnseg
