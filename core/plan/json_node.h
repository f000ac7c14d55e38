#ifndef NNSEG_CORE_PLAN_JSON_NODE_H_
#define NNSEG_CORE_PLAN_JSON_NODE_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nnseg {

/// Part of the implementation of core/plan: include it in its .cc files only.
///
/// A value of a JSON document that knows its place in it, so that every error names the file and
/// the key ("plans.json: configurations.3d_fullres.spacing.0 is -1, expected a number above 0").
/// Cheap to copy; keeps the document alive. Nothing here throws, whatever the document holds.
class JsonNode {
 public:
  /// The document's root, which must be an object. `file` is the base name used in errors. Keys
  /// keep their order. Refuses documents over 16 MiB and those nested deeper than 32 levels.
  static absl::StatusOr<JsonNode> Parse(const std::string& text, absl::string_view file);

  bool is_null() const { return value_->is_null(); }
  bool is_array() const { return value_->is_array(); }

  /// The member `key`; an error when this is no object or has no such key.
  absl::StatusOr<JsonNode> Get(absl::string_view key) const;
  /// The member `key`, or nothing when this is no object or has no such key.
  std::optional<JsonNode> Find(absl::string_view key) const;
  /// The members in the document's order; an error when this is no object.
  absl::StatusOr<std::vector<std::pair<std::string, JsonNode>>> Members() const;
  /// The elements; an error when this is no array.
  absl::StatusOr<std::vector<JsonNode>> Elements() const;
  /// The same; an error unless there are `count` of them.
  absl::StatusOr<std::vector<JsonNode>> Elements(std::size_t count) const;

  absl::StatusOr<std::string> AsString() const;
  absl::StatusOr<bool> AsBool() const;
  /// An integer in [low, high]; 2.0 is none.
  absl::StatusOr<int64_t> AsInt(int64_t low, int64_t high) const;
  /// A finite number.
  absl::StatusOr<double> AsNumber() const;

  absl::StatusOr<std::string> GetString(absl::string_view key) const;
  absl::StatusOr<int64_t> GetInt(absl::string_view key, int64_t low, int64_t high) const;
  absl::StatusOr<double> GetNumber(absl::string_view key) const;

  /// INVALID_ARGUMENT "<file>: <key> is <value>, expected <expected>".
  absl::Status Invalid(absl::string_view expected) const;
  /// UNIMPLEMENTED with the same text.
  absl::Status Unsupported(absl::string_view expected) const;
  /// "<file>: <key>", for errors of another form.
  std::string where() const;

 private:
  using Json = nlohmann::ordered_json;

  JsonNode(std::shared_ptr<const Json> value, std::string file, std::string path)
      : value_(std::move(value)), file_(std::move(file)), path_(std::move(path)) {}
  JsonNode Child(const Json& value, absl::string_view key) const;
  std::string Mismatch(absl::string_view expected) const;

  std::shared_ptr<const Json> value_;  // shares the whole document's ownership
  std::string file_;
  std::string path_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PLAN_JSON_NODE_H_
