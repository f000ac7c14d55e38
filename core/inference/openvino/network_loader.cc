#include "core/inference/openvino/network_loader.h"

#include "core/base/status_macros.h"
#include "core/inference/openvino/openvino_network.h"
#include "core/inference/openvino/openvino_precision.h"

namespace nnseg {
namespace {

class OpenvinoLoader : public NetworkLoader {
 public:
  explicit OpenvinoLoader(int threads) : threads_(threads) {}

  std::string engine() const override { return "openvino"; }
  std::string device() const override { return "cpu"; }
  absl::Status Supports(const std::string& precision) const override {
    return OpenvinoSupports(precision);
  }
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature,
                                                     const std::string& precision) override {
    NNSEG_RETURN_IF_ERROR(Supports(precision));
    return LoadOpenvinoNetwork(file, signature, precision, threads_);
  }

 private:
  const int threads_;
};

}  // namespace

std::shared_ptr<NetworkLoader> MakeOpenvinoLoader(int threads) {
  return std::make_shared<OpenvinoLoader>(threads);
}

}  // namespace nnseg
