#include "server/server_config.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

/// Keeps the first error with its place in the text.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) {
      text_ =
          absl::StrCat("configuration, line ", line + 1, ", column ", column + 1, ": ", message);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ExpectAtLeast(const char* field, double value, double least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, ", expected at least ", least));
}

absl::Status ExpectAtMost(const char* field, double value, double most) {
  if (value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, ", expected at most ", most));
}

/// Sets every field that is not set to its default, in all messages.
void WriteOutDefaults(google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const auto* field = message.GetDescriptor()->field(i);
    if (field->is_repeated()) continue;
    switch (field->cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE:
        WriteOutDefaults(*reflection->MutableMessage(&message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(&message, field, reflection->GetString(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, reflection->GetBool(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&message, field, reflection->GetInt32(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, reflection->GetInt64(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE:
        reflection->SetDouble(&message, field, reflection->GetDouble(message, field));
        break;
      default:
        break;  // the schema uses no other types
    }
  }
}

}  // namespace

absl::Status MergeConfigText(const std::string& text, ServerConfig& config) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.MergeFromString(text, &config)) return absl::InvalidArgumentError(error.text());
  return absl::OkStatus();
}

absl::Status MergeConfigFile(const std::string& path, ServerConfig& config) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read the configuration ", path));
  return MergeConfigText(text, config);
}

absl::Status ValidateConfig(const ServerConfig& config) {
  if (config.model_repository().empty()) {
    return absl::InvalidArgumentError(
        "model_repository is empty, expected a folder (--model-repository)");
  }
  for (const auto& [field, address] :
       {std::pair{"listen", config.listen()}, std::pair{"http", config.http()}}) {
    if (const auto colon = address.rfind(':');
        colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, " is \"", address, "\", expected HOST:PORT"));
    }
  }
  for (const std::string& engine : config.engines().preference()) {
    if (engine != "torch" && engine != "openvino") {
      return absl::InvalidArgumentError(
          absl::StrCat("engines.preference has \"", engine, "\", expected torch or openvino"));
    }
  }
  for (const std::string& precision : config.engines().precisions()) {
    if (precision != "fp32" && precision != "bf16" && precision != "int8" &&
        precision != "int8_bf16" && precision != "fp16") {
      return absl::InvalidArgumentError(
          absl::StrCat("engines.precisions has \"", precision,
                       "\", expected fp32, bf16, int8, int8_bf16 or fp16"));
    }
  }
  for (const char* level : {"debug", "info", "warning", "error"}) {
    if (config.log_level() == level) break;
    if (level == std::string("error")) {
      return absl::InvalidArgumentError(absl::StrCat("log_level is \"", config.log_level(),
                                                     "\", expected debug, info, warning or error"));
    }
  }
  const TlsConfig& tls = config.tls();
  if (tls.certificate_file().empty() != tls.private_key_file().empty() ||
      (tls.certificate_file().empty() && !tls.client_ca_file().empty())) {
    return absl::InvalidArgumentError(
        "tls has only a part of its files, expected certificate_file and private_key_file");
  }

  const EngineConfig& engines = config.engines();
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("engines.threads", engines.threads(), 0));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("engines.concurrent_cases", engines.concurrent_cases(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("engines.prepare_threads", engines.prepare_threads(), 1));
  const LimitConfig& limits = config.limits();
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("limits.memory_bytes", static_cast<double>(limits.memory_bytes()), 0));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("limits.device_memory_bytes",
                                      static_cast<double>(limits.device_memory_bytes()), 0));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("limits.max_cases", limits.max_cases(), 1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("limits.max_request_seconds", limits.max_request_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("limits.stall_seconds", limits.stall_seconds(), 0.1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("limits.max_unsent_bytes", static_cast<double>(limits.max_unsent_bytes()), 1));
  const VolumeConfig& volumes = config.volumes();
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("volumes.memory_bytes", static_cast<double>(volumes.memory_bytes()), 0));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("volumes.max_volumes", volumes.max_volumes(), 0));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("volumes.idle_timeout_seconds", volumes.idle_timeout_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtMost("volumes.idle_timeout_seconds", volumes.idle_timeout_seconds(), 86400));
  const ConnectionConfig& connections = config.connections();
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("connections.max_concurrent_streams", connections.max_concurrent_streams(), 1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("connections.keepalive_seconds", connections.keepalive_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("connections.keepalive_timeout_seconds",
                                      connections.keepalive_timeout_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("connections.max_idle_seconds", connections.max_idle_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("connections.max_age_seconds", connections.max_age_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("connections.max_age_grace_seconds",
                                      connections.max_age_grace_seconds(),
                                      limits.max_request_seconds()));
  NNSEG_RETURN_IF_ERROR(
      ExpectAtLeast("connections.handshake_seconds", connections.handshake_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("tls.reload_seconds", tls.reload_seconds(), 1));
  NNSEG_RETURN_IF_ERROR(ExpectAtLeast("drain.delay_seconds", config.drain().delay_seconds(), 0));
  return ExpectAtLeast("drain.timeout_seconds", config.drain().timeout_seconds(), 0);
}

std::string EffectiveConfigText(const ServerConfig& config) {
  ServerConfig effective = config;
  WriteOutDefaults(effective);
  return effective.ShortDebugString();
}

}  // namespace nnseg
