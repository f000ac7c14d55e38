#include "tests/parity/parity_case.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/check.h"

namespace nnseg::parity {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

json ReadJson(const fs::path& path) {
  std::ifstream file(path);
  NNSEG_CHECK(file.good());
  return json::parse(file);
}

fs::path DataFolder() {
  const char* folder = std::getenv("NNSEG_TEST_DATA");
  NNSEG_CHECK(folder != nullptr);
  return folder;
}

}  // namespace

std::vector<ParityCase> LoadParityCases() {
  const fs::path root = DataFolder().parent_path().parent_path();
  const json index = ReadJson(DataFolder() / "golden" / "index.json");
  std::vector<ParityCase> cases;
  for (const json& entry : index.at("cases")) {
    ParityCase parity_case;
    parity_case.name = entry.at("name");
    parity_case.bundle = root / entry.at("bundle").get<std::string>();
    for (const std::string input : entry.at("inputs")) {
      parity_case.inputs.push_back(root / input);
    }
    parity_case.folds = entry.at("folds").get<std::vector<std::string>>();
    parity_case.mirroring = entry.at("tta");
    parity_case.tile_step_size = entry.at("step_size");
    parity_case.labels = root / entry.at("labels").get<std::string>();
    for (const auto& [stage, description] : entry.at("dumps").items()) {
      parity_case.dumps[stage] = root / description.get<std::string>();
    }
    cases.push_back(std::move(parity_case));
  }
  return cases;
}

StageDump LoadStageDump(const fs::path& description) {
  const json meta = ReadJson(description);
  StageDump dump;
  dump.dtype = meta.at("dtype");
  dump.shape = meta.at("shape").get<std::vector<int64_t>>();
  dump.stride = meta.at("stride");
  std::ifstream file(description.parent_path() / meta.at("file").get<std::string>(),
                     std::ios::binary);
  NNSEG_CHECK(file.good());
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  dump.bytes.resize(bytes.size());
  std::transform(bytes.begin(), bytes.end(), dump.bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return dump;
}

}  // namespace nnseg::parity
