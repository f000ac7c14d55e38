#ifndef NNSEG_CORE_INFERENCE_ENGINE_ERROR_H_
#define NNSEG_CORE_INFERENCE_ENGINE_ERROR_H_

#include <string>

namespace nnseg {

/// One line of an engine's exception text, fit to travel to a client: the line that names the
/// cause, without stack, source positions and this host's folders (a path becomes its base name).
std::string EngineErrorLine(const std::string& text);

}  // namespace nnseg

#endif  // NNSEG_CORE_INFERENCE_ENGINE_ERROR_H_
