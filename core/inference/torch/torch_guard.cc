#include "core/inference/torch/torch_guard.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/inference/engine_error.h"

namespace nnseg {
namespace {

absl::Status FromText(const std::string& text) {
  const std::string message = absl::StrCat("torch: ", EngineErrorLine(text));
  // Of an error within TorchScript only the text is left.
  if (absl::StrContains(text, "can't allocate memory")) {
    return absl::ResourceExhaustedError(message);
  }
  return absl::InternalError(message);
}

}  // namespace

absl::Status GuardTorch(const std::function<absl::Status()>& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("torch: ", EngineErrorLine(error.what_without_backtrace())));
  } catch (const c10::Error& error) {
    return FromText(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("torch: out of memory");
  } catch (const std::exception& error) {
    return FromText(error.what());
  } catch (...) {
    return absl::InternalError("torch: unknown error");
  }
}

}  // namespace nnseg
