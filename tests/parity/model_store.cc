#include "tests/parity/model_store.h"

#include "core/base/status_macros.h"
#include "core/inference/openvino/network_loader.h"
#include "core/inference/torch/network_loader.h"

namespace nnseg::parity {
namespace {

Engines MakeCpuEngines(int threads) {
  auto scheduler = std::make_shared<TileScheduler>([threads] { SetTorchThreads(threads); });
  return {{*MakeTorchLoader("cpu"), scheduler}, {MakeOpenvinoLoader(threads), scheduler}};
}

}  // namespace

ModelStore::ModelStore(int threads) : engines_(MakeCpuEngines(threads)) {}

absl::StatusOr<std::shared_ptr<const LoadedModel>> ModelStore::Get(const ParityCase& parity_case) {
  constexpr int kVersion = 1;
  auto& repository = repositories_[parity_case.repository];
  if (repository == nullptr) {
    repository = std::make_unique<ModelRepository>(parity_case.repository, engines_);
  }
  NNSEG_RETURN_IF_ERROR(repository->Load(parity_case.model, kVersion));
  return repository->Borrow(parity_case.model, kVersion);
}

}  // namespace nnseg::parity
