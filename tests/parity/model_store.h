#ifndef NNSEG_TESTS_PARITY_MODEL_STORE_H_
#define NNSEG_TESTS_PARITY_MODEL_STORE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/model/model_repository.h"
#include "tests/parity/parity_case.h"

namespace nnseg::parity {

/// Loads the models of cases when they are first asked for, version 1, on this machine's CPU.
class ModelStore {
 public:
  /// Both engines, each with so many threads: torch's bits depend on their number.
  explicit ModelStore(int threads);

  absl::StatusOr<std::shared_ptr<const LoadedModel>> Get(const ParityCase& parity_case);

 private:
  const Engines engines_;
  std::map<std::string, std::unique_ptr<ModelRepository>> repositories_;
};

}  // namespace nnseg::parity

#endif  // NNSEG_TESTS_PARITY_MODEL_STORE_H_
