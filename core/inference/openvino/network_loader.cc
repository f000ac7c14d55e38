#include "core/inference/openvino/network_loader.h"

#include "core/inference/openvino/openvino_network.h"

namespace nnseg {
namespace {

class OpenvinoLoader : public NetworkLoader {
 public:
  explicit OpenvinoLoader(int threads) : threads_(threads) {}

  std::string engine() const override { return "openvino"; }
  std::string device() const override { return "cpu"; }
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature) override {
    return LoadOpenvinoNetwork(file, signature, threads_);
  }

 private:
  const int threads_;
};

}  // namespace

std::shared_ptr<NetworkLoader> MakeOpenvinoLoader(int threads) {
  return std::make_shared<OpenvinoLoader>(threads);
}

}  // namespace nnseg
