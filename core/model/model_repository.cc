#include "core/model/model_repository.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNameLength = 64;
constexpr std::size_t kMaxVersionDigits = 9;

bool IsModelName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameLength && absl::ascii_isalnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

/// The version that a folder's name stands for, or 0.
int VersionOf(const std::string& name) {
  const bool canonical =
      !name.empty() && name.size() <= kMaxVersionDigits && name[0] != '0' &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  int version = 0;
  return canonical && absl::SimpleAtoi(name, &version) ? version : 0;
}

/// "model 'brain-t1' version 2"; the name may be a client's.
std::string Describe(const std::string& name, int version) {
  std::string text = absl::StrCat("model '", absl::CHexEscape(name.substr(0, kMaxNameLength)), "'");
  if (version != 0) absl::StrAppend(&text, " version ", version);
  return text;
}

absl::Status Annotate(const std::string& name, int version, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(Describe(name, version), ": ", status.message()));
}

absl::Status WhyNotReady(const ModelStatus& entry) {
  switch (entry.state) {
    case ModelState::kLoading:
      return absl::FailedPreconditionError(
          absl::StrCat(Describe(entry.name, entry.version), " is being loaded"));
    case ModelState::kFailed:
      return absl::FailedPreconditionError(absl::StrCat("loading failed: ", entry.error.message()));
    case ModelState::kUnloaded:
    case ModelState::kReady:
      break;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(Describe(entry.name, entry.version), " is not loaded"));
}

/// The folders in `parent`, by name.
absl::StatusOr<std::vector<fs::path>> Folders(const fs::path& parent) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) folders.push_back(entry->path());
  }
  if (error) return absl::NotFoundError("the model repository cannot be read");
  return folders;
}

}  // namespace

ModelRepository::ModelRepository(fs::path root, Engines engines)
    : root_(std::move(root)), engines_(std::move(engines)) {}

absl::Status ModelRepository::Scan() {
  std::map<std::string, std::set<int>> found;
  NNSEG_ASSIGN_OR_RETURN(const std::vector<fs::path> models, Folders(root_));
  for (const fs::path& model : models) {
    const std::string name = model.filename().string();
    const absl::StatusOr<std::vector<fs::path>> versions = Folders(model);
    if (!IsModelName(name) || !versions.ok()) continue;
    for (const fs::path& folder : *versions) {
      if (const int version = VersionOf(folder.filename().string()); version != 0) {
        found[name].insert(version);
      }
    }
  }

  const std::lock_guard<std::mutex> lock(mu_);
  for (auto& model : models_) {
    const std::set<int>& on_disk = found[model.first];
    std::erase_if(model.second, [&](const auto& item) {
      const ModelState state = item.second.state;
      const bool idle = state == ModelState::kUnloaded || state == ModelState::kFailed;
      return idle && !on_disk.contains(item.first);
    });
  }
  for (const auto& [name, versions] : found) {
    for (int version : versions) {
      models_[name].try_emplace(version, ModelStatus{.name = name, .version = version});
    }
  }
  std::erase_if(models_, [](const auto& item) { return item.second.empty(); });
  return absl::OkStatus();
}

void ModelRepository::LoadAll() {
  std::vector<std::string> names;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const auto& [name, versions] : models_) names.push_back(name);
  }
  // A failure is kept in the model's status.
  for (const std::string& name : names) LoadKnown(name, 0).IgnoreError();
}

absl::Status ModelRepository::Load(const std::string& name, int version) {
  NNSEG_RETURN_IF_ERROR(Scan());
  return LoadKnown(name, version);
}

absl::Status ModelRepository::LoadKnown(const std::string& name, int version) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    NNSEG_ASSIGN_OR_RETURN(const ModelStatus* known, Find(name, version));
    if (known->state == ModelState::kReady) return absl::OkStatus();
    if (known->state == ModelState::kLoading) return WhyNotReady(*known);
  }
  const std::lock_guard<std::mutex> turn(loading_);
  return LoadInTurn(name, version).status();
}

ModelRepository::LoadResult ModelRepository::LoadInTurn(const std::string& name, int version) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    NNSEG_ASSIGN_OR_RETURN(const ModelStatus* known, Find(name, version));
    if (known->state == ModelState::kReady) return known->model;
    version = known->version;
    if (known->state == ModelState::kLoading) {
      return absl::InvalidArgumentError(
          absl::StrCat(Describe(name, version), " refers to itself through other models"));
    }
    ModelStatus& entry = models_.at(name).at(version);
    entry.state = ModelState::kLoading;
    entry.error = absl::OkStatus();
  }
  // An entry that is loading is nobody else's to change or remove.
  LoadResult model = ReadAndLoad(name, version);
  const std::lock_guard<std::mutex> lock(mu_);
  ModelStatus& entry = models_.at(name).at(version);
  if (!model.ok()) {
    entry.state = ModelState::kFailed;
    entry.error = Annotate(name, version, model.status());
    return entry.error;
  }
  entry.state = ModelState::kReady;
  entry.model = *std::move(model);
  return entry.model;
}

ModelRepository::LoadResult ModelRepository::ReadAndLoad(const std::string& name, int version) try {
  NNSEG_ASSIGN_OR_RETURN(ModelBundle bundle, ReadModelBundle(root_ / name / absl::StrCat(version)));
  const BundleManifest& manifest = bundle.manifest;
  if (manifest.name != name || manifest.version != version) {
    return absl::InvalidArgumentError(
        absl::StrCat("manifest.json is that of ", Describe(manifest.name, manifest.version)));
  }
  LoadedModel::References references;
  for (const ModelReference& member : manifest.members) {
    NNSEG_ASSIGN_OR_RETURN(references.members.emplace_back(),
                           LoadInTurn(member.name, member.version));
  }
  if (manifest.previous_stage) {
    NNSEG_ASSIGN_OR_RETURN(references.previous_stage, LoadInTurn(manifest.previous_stage->name,
                                                                 manifest.previous_stage->version));
  }
  return LoadedModel::Load(std::move(bundle), engines_, std::move(references));
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("there is not enough memory for it");
}

absl::Status ModelRepository::Unload(const std::string& name, int version) {
  std::vector<std::shared_ptr<const LoadedModel>> released;  // freed after the lock
  const std::lock_guard<std::mutex> lock(mu_);
  NNSEG_RETURN_IF_ERROR(Find(name, version).status());
  std::map<int, ModelStatus>& versions = models_.at(name);
  for (const auto& [number, entry] : versions) {
    const bool meant = version == 0 || version == number;
    if (meant && entry.state == ModelState::kLoading) return WhyNotReady(entry);
  }
  for (auto& [number, entry] : versions) {
    if (version != 0 && version != number) continue;
    released.push_back(std::move(entry.model));
    entry = ModelStatus{.name = name, .version = number};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const LoadedModel>> ModelRepository::Borrow(const std::string& name,
                                                                           int version) const {
  const std::lock_guard<std::mutex> lock(mu_);
  NNSEG_ASSIGN_OR_RETURN(const ModelStatus* entry, Find(name, version));
  if (version == 0) {
    const std::map<int, ModelStatus>& versions = models_.at(name);
    const auto newest_ready =
        std::find_if(versions.rbegin(), versions.rend(),
                     [](const auto& item) { return item.second.state == ModelState::kReady; });
    if (newest_ready != versions.rend()) return newest_ready->second.model;
  }
  if (entry->state == ModelState::kReady) return entry->model;
  return WhyNotReady(*entry);
}

std::vector<ModelStatus> ModelRepository::List() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::vector<ModelStatus> list;
  for (const auto& [name, versions] : models_) {
    for (const auto& [version, entry] : versions) list.push_back(entry);
  }
  return list;
}

bool ModelRepository::AnyReady() const {
  const std::vector<ModelStatus> list = List();
  return std::any_of(list.begin(), list.end(),
                     [](const ModelStatus& entry) { return entry.state == ModelState::kReady; });
}

absl::StatusOr<const ModelStatus*> ModelRepository::Find(const std::string& name,
                                                         int version) const {
  const auto model = models_.find(name);
  if (model == models_.end()) {
    return absl::NotFoundError(absl::StrCat(Describe(name, 0), " does not exist"));
  }
  const auto entry = version == 0 ? std::prev(model->second.end()) : model->second.find(version);
  if (entry == model->second.end()) {
    return absl::NotFoundError(absl::StrCat(Describe(name, version), " does not exist"));
  }
  return &entry->second;
}

}  // namespace nnseg
