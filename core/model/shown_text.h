#ifndef NNSEG_CORE_MODEL_SHOWN_TEXT_H_
#define NNSEG_CORE_MODEL_SHOWN_TEXT_H_

#include <string>

#include "absl/strings/escaping.h"

namespace nnseg {

/// A client's text as an error quotes it: printable, at most 64 characters of it.
inline std::string ShownText(const std::string& text) {
  constexpr std::size_t kMaxShown = 64;
  return absl::CHexEscape(text.substr(0, kMaxShown));
}

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_SHOWN_TEXT_H_
