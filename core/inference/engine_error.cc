#include "core/inference/engine_error.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace nnseg {
namespace {

constexpr std::size_t kMaxLength = 200;

// Lines that say where an engine noticed an error, not what it is.
constexpr absl::string_view kPreambles[] = {
    "Exception from ",                 // OpenVINO, once for each layer passed
    "Check '",                         // OpenVINO
    "The following operation failed",  // TorchScript
    "Traceback of TorchScript",
};

bool IsPreamble(absl::string_view line) {
  for (absl::string_view preamble : kPreambles) {
    if (absl::StartsWith(line, preamble)) return true;
  }
  return false;
}

absl::string_view LineOfTheCause(absl::string_view text) {
  absl::string_view first;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    // TorchScript: the cause follows the script's own stack.
    if (absl::ConsumePrefix(&line, "RuntimeError: ")) return line;
    if (first.empty() && !IsPreamble(line)) first = line;
  }
  return first;
}

}  // namespace

std::string EngineErrorLine(const std::string& text) {
  std::vector<absl::string_view> words =
      absl::StrSplit(LineOfTheCause(text), ' ', absl::SkipEmpty());
  for (absl::string_view& word : words) {
    if (const std::size_t slash = word.rfind('/'); slash != absl::string_view::npos) {
      word.remove_prefix(slash + 1);
    }
  }
  std::string line = absl::StrJoin(words, " ");
  if (line.size() > kMaxLength) line.replace(kMaxLength, std::string::npos, "...");
  return line.empty() ? "unknown error" : line;
}

}  // namespace nnseg
