#ifndef NNSEG_TESTS_SUPPORT_TINY_BUNDLE_H_
#define NNSEG_TESTS_SUPPORT_TINY_BUNDLE_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/inference/network_loader.h"
#include "core/plan/bundle_manifest.h"
#include "tests/support/fake_patch_network.h"

namespace nnseg {

/// What a generated bundle says of its model.
struct TinyBundleOptions {
  std::string name = "tiny";
  int version = 1;
  std::string configuration = "3d_fullres";
  std::vector<std::string> folds{"0", "1"};
  std::vector<std::string> channels{"T1"};
  std::vector<int> mirroring_axes{0, 1, 2};  ///< internal axes; 2D leaves 0 out
  int foreground_labels = 2;
  /// In place of the labels: one region for each, painted in this order as 1, 2, ...
  std::vector<std::vector<int>> regions;
  int patch_dimensions = 3;  ///< 2: patch_size[0] is left out
  Shape3 patch_size{{8, 8, 8}};
  double spacing_mm = 1.0;
  std::vector<int> transpose_forward{1, 0, 2};
  std::string image_reader_writer = "SimpleITKIO";
  /// Cascade: the configuration whose labels are a further input; empty: none.
  std::string previous_configuration;
  std::optional<ModelReference> previous_stage;  ///< the model that makes these labels
  std::string postprocessing;                    ///< postprocessing.json; empty: none
  std::vector<std::string> engines{"torch"};     ///< with placeholder files for each fold
  /// What was tried at export; networks are filled in for those that passed.
  std::vector<PrecisionRecord> precisions;
  std::string precision_policy;  ///< empty: not said
};

/// A record of "openvino" that passed its gate, or, with `dice` below 0.99, did not.
PrecisionRecord TinyPrecision(const std::string& precision, double relative_time,
                              double dice = 0.998);

/// Writes a valid bundle to <repository>/<name>/<version> whose fold files are placeholders for a
/// FakeNetworkLoader named "torch", and returns its folder.
std::filesystem::path WriteTinyBundle(const std::filesystem::path& repository,
                                      const TinyBundleOptions& options = {});

/// Writes a valid ensemble of `members` to <repository>/<name>/1 and returns its folder. Labels,
/// regions, channels and post-processing are those of `options`, the members' own; the rest of
/// `options` is not used.
std::filesystem::path WriteTinyEnsemble(const std::filesystem::path& repository,
                                        const std::string& name,
                                        const std::vector<ModelReference>& members,
                                        const TinyBundleOptions& options = {});

/// Serves FakePatchNetworks for any file, numbered by the fold in its name, by default as engine
/// "torch" on device "cpu" in fp32 alone, without memory of its own. `configure` sees each network
/// before it is handed out.
/// Thread-safe.
class FakeNetworkLoader : public NetworkLoader {
 public:
  explicit FakeNetworkLoader(
      std::function<void(FakePatchNetwork&)> configure = [](auto&) {}, std::string engine = "torch",
      std::vector<std::string> precisions = {"fp32"}, std::string device = "cpu",
      std::shared_ptr<DeviceMemory> memory = nullptr)
      : configure_(std::move(configure)),
        engine_(std::move(engine)),
        precisions_(std::move(precisions)),
        device_(std::move(device)),
        memory_(std::move(memory)) {}

  std::string engine() const override { return engine_; }
  std::string device() const override { return device_; }
  std::shared_ptr<DeviceMemory> device_memory() const override { return memory_; }
  absl::Status Supports(const std::string& precision) const override;
  absl::StatusOr<std::unique_ptr<PatchNetwork>> Load(const std::string& file,
                                                     const PatchSignature& signature,
                                                     const std::string& precision) override;

 private:
  const std::function<void(FakePatchNetwork&)> configure_;
  const std::string engine_;
  const std::vector<std::string> precisions_;
  const std::string device_;
  const std::shared_ptr<DeviceMemory> memory_;
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
