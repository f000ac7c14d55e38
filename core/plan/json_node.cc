#include "core/plan/json_node.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxShown = 80;  // characters of a foreign key or value in an error

std::string Shortened(std::string text) {
  if (text.size() > kMaxShown) text.replace(kMaxShown, std::string::npos, "...");
  return text;
}

}  // namespace

absl::StatusOr<JsonNode> JsonNode::Parse(const std::string& text, absl::string_view file) {
  if (text.size() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, " has ", text.size(), " bytes, expected at most ", kMaxBytes));
  }
  bool too_deep = false;
  const auto limit_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  auto document = std::make_shared<const Json>(
      Json::parse(text.begin(), text.end(), limit_depth, /*allow_exceptions=*/false));
  if (too_deep) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, " is nested deeper than ", kMaxDepth, " levels"));
  }
  if (document->is_discarded()) {
    return absl::InvalidArgumentError(absl::StrCat(file, " is no valid JSON"));
  }
  JsonNode root(std::move(document), std::string(file), "");
  if (!root.value_->is_object()) return root.Invalid("an object");
  return root;
}

JsonNode JsonNode::Child(const Json& value, absl::string_view key) const {
  return JsonNode(std::shared_ptr<const Json>(value_, &value), file_,
                  absl::StrCat(path_, path_.empty() ? "" : ".", Shortened(std::string(key))));
}

absl::StatusOr<JsonNode> JsonNode::Get(absl::string_view key) const {
  if (!value_->is_object()) return Invalid("an object");
  if (std::optional<JsonNode> member = Find(key)) return *std::move(member);
  return absl::InvalidArgumentError(absl::StrCat(file_, ": key ", path_, path_.empty() ? "" : ".",
                                                 Shortened(std::string(key)), " is missing"));
}

std::optional<JsonNode> JsonNode::Find(absl::string_view key) const {
  if (!value_->is_object()) return std::nullopt;
  const auto member = value_->find(std::string(key));
  if (member == value_->end()) return std::nullopt;
  return Child(*member, key);
}

absl::StatusOr<std::vector<std::pair<std::string, JsonNode>>> JsonNode::Members() const {
  if (!value_->is_object()) return Invalid("an object");
  std::vector<std::pair<std::string, JsonNode>> members;
  for (const auto& [key, value] : value_->items()) members.emplace_back(key, Child(value, key));
  return members;
}

absl::StatusOr<std::vector<JsonNode>> JsonNode::Elements() const {
  if (!value_->is_array()) return Invalid("an array");
  std::vector<JsonNode> elements;
  for (const Json& value : *value_) {
    elements.push_back(Child(value, absl::StrCat(elements.size())));
  }
  return elements;
}

absl::StatusOr<std::vector<JsonNode>> JsonNode::Elements(std::size_t count) const {
  if (!value_->is_array() || value_->size() != count) {
    return Invalid(absl::StrCat("an array of ", count));
  }
  return Elements();
}

absl::StatusOr<std::string> JsonNode::AsString() const {
  if (!value_->is_string()) return Invalid("a string");
  return value_->get<std::string>();
}

absl::StatusOr<bool> JsonNode::AsBool() const {
  if (!value_->is_boolean()) return Invalid("true or false");
  return value_->get<bool>();
}

absl::StatusOr<int64_t> JsonNode::AsInt(int64_t low, int64_t high) const {
  // Numbers above INT64_MAX are kept unsigned, those above UINT64_MAX as floating point.
  const bool representable =
      value_->is_number_integer() &&
      (!value_->is_number_unsigned() || value_->get<uint64_t>() <= uint64_t{INT64_MAX});
  const int64_t value = representable ? value_->get<int64_t>() : 0;
  if (!representable || value < low || value > high) {
    return Invalid(absl::StrCat("an integer in [", low, ", ", high, "]"));
  }
  return value;
}

absl::StatusOr<double> JsonNode::AsNumber() const {
  if (!value_->is_number() || !std::isfinite(value_->get<double>())) {
    return Invalid("a finite number");
  }
  return value_->get<double>();
}

absl::StatusOr<std::string> JsonNode::GetString(absl::string_view key) const {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode member, Get(key));
  return member.AsString();
}

absl::StatusOr<int64_t> JsonNode::GetInt(absl::string_view key, int64_t low, int64_t high) const {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode member, Get(key));
  return member.AsInt(low, high);
}

absl::StatusOr<double> JsonNode::GetNumber(absl::string_view key) const {
  NNSEG_ASSIGN_OR_RETURN(const JsonNode member, Get(key));
  return member.AsNumber();
}

std::string JsonNode::where() const {
  return path_.empty() ? file_ : absl::StrCat(file_, ": ", path_);
}

std::string JsonNode::Mismatch(absl::string_view expected) const {
  std::string found;
  if (value_->is_object()) {
    found = "an object";
  } else if (value_->is_array()) {
    found = absl::StrCat("an array of ", value_->size());
  } else {
    found = Shortened(value_->dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace));
  }
  return absl::StrCat(where(), " is ", found, ", expected ", expected);
}

absl::Status JsonNode::Invalid(absl::string_view expected) const {
  return absl::InvalidArgumentError(Mismatch(expected));
}

absl::Status JsonNode::Unsupported(absl::string_view expected) const {
  return absl::UnimplementedError(Mismatch(expected));
}

}  // namespace nnseg
