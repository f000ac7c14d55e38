#ifndef NNSEG_TESTS_SUPPORT_TINY_BUNDLE_H_
#define NNSEG_TESTS_SUPPORT_TINY_BUNDLE_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/inference/network_loader.h"
#include "tests/support/fake_patch_network.h"

namespace nnseg {

/// What a generated bundle says of its model.
struct TinyBundleOptions {
  std::string name = "tiny";
  int version = 1;
  std::vector<std::string> folds{"0", "1"};
  std::vector<std::string> channels{"T1"};
  std::vector<int> mirroring_axes{0, 1, 2};
  int foreground_labels = 2;
  Shape3 patch_size{{8, 8, 8}};
  double spacing_mm = 1.0;
  std::vector<int> transpose_forward{1, 0, 2};
};

/// Writes a valid bundle to <repository>/<name>/<version> whose fold files are placeholders for a
/// FakeNetworkLoader named "torch", and returns its folder.
std::filesystem::path WriteTinyBundle(const std::filesystem::path& repository,
                                      const TinyBundleOptions& options = {});

/// Serves FakePatchNetworks for any file, numbered by the fold in its name, as engine
/// "torch" on device "cpu". `configure` sees each network before it is handed out. Thread-safe.
class FakeNetworkLoader : public NetworkLoader {
 public:
  explicit FakeNetworkLoader(std::function<void(FakePatchNetwork&)> configure = [](auto&) {})
      : configure_(std::move(configure)) {}

  std::string engine() const override { return "torch"; }
  std::string device() const override { return "cpu"; }
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature) override;

 private:
  const std::function<void(FakePatchNetwork&)> configure_;
};

/// A folder of its own under the system's temporary folder, removed with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_TINY_BUNDLE_H_
