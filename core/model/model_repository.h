#ifndef NNSEG_CORE_MODEL_MODEL_REPOSITORY_H_
#define NNSEG_CORE_MODEL_MODEL_REPOSITORY_H_

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/loaded_model.h"

namespace nnseg {

/// Life of a model version. Only kReady serves.
enum class ModelState { kUnloaded, kLoading, kReady, kFailed };

struct ModelStatus {
  std::string name;
  int version = 0;
  ModelState state = ModelState::kUnloaded;
  absl::Status error;                        ///< why, for kFailed
  std::shared_ptr<const LoadedModel> model;  ///< for kReady
};

/// The models under <root>/<name>/<integer version>/. Names and versions are looked up in the index
/// made by Scan, never joined to a path. A load happens outside the lock, so requests never wait
/// for one, though loads wait for each other; a request that borrowed a model keeps it alive while
/// an unload or a newer version goes on, and so does an ensemble or cascade that refers to it.
/// Thread-safe.
class ModelRepository {
 public:
  ModelRepository(std::filesystem::path root, Engines engines);

  /// Re-reads the folder: new versions appear as kUnloaded, vanished ones that are not loaded go.
  /// Folders that are no model (names outside [A-Za-z0-9][A-Za-z0-9._-]{0,63}, versions outside
  /// [1-9][0-9]{0,8}) are ignored. NOT_FOUND when the root is no folder.
  absl::Status Scan();

  /// Loads the newest version of every model (all by name order). A bad model fails alone: its
  /// status says why.
  void LoadAll();

  /// Loads a version (0: the newest), replacing nothing: other versions go on serving. Scans first.
  /// The models that it refers to are loaded before it and shared with all that refer to them.
  /// NOT_FOUND, FAILED_PRECONDITION while another call loads it, or why the load failed. Loading a
  /// ready version is OK and does nothing.
  absl::Status Load(const std::string& name, int version);
  /// Frees a version (0: all of the model's) once running requests end. NOT_FOUND if unknown,
  /// FAILED_PRECONDITION while it is being loaded.
  absl::Status Unload(const std::string& name, int version);

  /// The model for a request; version 0 is the newest ready one. NOT_FOUND for a name or version
  /// that does not exist, FAILED_PRECONDITION when it is not ready.
  absl::StatusOr<std::shared_ptr<const LoadedModel>> Borrow(const std::string& name,
                                                            int version) const;

  /// All versions, by name and version.
  std::vector<ModelStatus> List() const;
  bool AnyReady() const;

 private:
  using LoadResult = absl::StatusOr<std::shared_ptr<const LoadedModel>>;

  /// Load without the scan.
  absl::Status LoadKnown(const std::string& name, int version);
  /// The same after the models that it refers to. REQUIRES: loading_ is held, so that every entry
  /// that is being loaded waits for this one: one more step to it would close a circle.
  LoadResult LoadInTurn(const std::string& name, int version);
  LoadResult ReadAndLoad(const std::string& name, int version);
  /// The index's entry, the newest for version 0. NOT_FOUND. REQUIRES: mu_ is held.
  absl::StatusOr<const ModelStatus*> Find(const std::string& name, int version) const;

  const std::filesystem::path root_;
  const Engines engines_;
  std::mutex loading_;  // one load at a time; never locked under mu_
  mutable std::mutex mu_;
  std::map<std::string, std::map<int, ModelStatus>> models_;  // guarded by mu_
};

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_MODEL_REPOSITORY_H_
