#include "server/server_config.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

ServerConfig GoodConfig() {
  ServerConfig config;
  config.set_model_repository("models");
  return config;
}

TEST(ServerConfig, DefaultsAreValidOnceThereIsARepository) {
  NNSEG_EXPECT_OK(ValidateConfig(GoodConfig()));
  EXPECT_THAT(ValidateConfig(ServerConfig()), StatusIs(kInvalid, HasSubstr("model_repository")));
}

TEST(ServerConfig, FileWinsOverDefaultsAndKeepsTheRest) {
  ServerConfig config;
  NNSEG_ASSERT_OK(MergeConfigText("limits { max_cases: 3 } listen: '[::1]:9000'", config));
  EXPECT_EQ(config.limits().max_cases(), 3);
  EXPECT_EQ(config.listen(), "[::1]:9000");
  EXPECT_EQ(config.limits().stall_seconds(), 15);
  EXPECT_EQ(config.http(), "127.0.0.1:8002");
}

TEST(ServerConfig, UnknownFieldIsAnErrorWithItsLine) {
  ServerConfig config;
  EXPECT_THAT(MergeConfigText("listen: 'a:1'\nlimits {\n  max_case: 3\n}\n", config),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("line 3"), HasSubstr("max_case"))));
}

TEST(ServerConfig, BadValueIsAnErrorWithItsLine) {
  ServerConfig config;
  EXPECT_THAT(MergeConfigText("\nreflection: 7\n", config),
              StatusIs(kInvalid, HasSubstr("line 2")));
}

TEST(ServerConfig, MissingFileIsNotFound) {
  ServerConfig config;
  EXPECT_THAT(MergeConfigFile("no/such/file", config), StatusIs(absl::StatusCode::kNotFound));
}

TEST(ServerConfig, ValuesThatCannotWorkAreNamed) {
  const auto validate = [](const char* text) {
    ServerConfig config = GoodConfig();
    NNSEG_EXPECT_OK(MergeConfigText(text, config));
    return ValidateConfig(config);
  };
  EXPECT_THAT(validate("listen: 'host'"), StatusIs(kInvalid, HasSubstr("listen is \"host\"")));
  EXPECT_THAT(validate("http: ':8002'"), StatusIs(kInvalid, HasSubstr("http")));
  EXPECT_THAT(validate("log_level: 'loud'"), StatusIs(kInvalid, HasSubstr("log_level")));
  EXPECT_THAT(
      validate("engines { precisions: ['bf16', 'fp8'] }"),
      StatusIs(kInvalid, HasSubstr("engines.precisions has \"fp8\", expected fp32, bf16, int8, "
                                   "int8_bf16 or fp16")));
  NNSEG_EXPECT_OK(validate("engines { precisions: ['bf16', 'int8', 'int8_bf16', 'fp16'] }"));
  EXPECT_THAT(validate("engines { preference: 'tensorflow' }"),
              StatusIs(kInvalid, HasSubstr("tensorflow")));
  EXPECT_THAT(validate("limits { device_memory_bytes: -1 }"),
              StatusIs(kInvalid, HasSubstr("limits.device_memory_bytes is -1")));
  EXPECT_THAT(validate("limits { max_cases: 0 }"), StatusIs(kInvalid, HasSubstr("max_cases is 0")));
  EXPECT_THAT(validate("volumes { max_volumes: -1 }"),
              StatusIs(kInvalid, HasSubstr("volumes.max_volumes is -1")));
  EXPECT_THAT(validate("volumes { idle_timeout_seconds: 0 }"),
              StatusIs(kInvalid, HasSubstr("idle_timeout_seconds is 0, expected at least 1")));
  EXPECT_THAT(validate("volumes { idle_timeout_seconds: 1e9 }"),
              StatusIs(kInvalid, HasSubstr("expected at most 86400")));
  EXPECT_THAT(validate("limits { stall_seconds: nan }"), StatusIs(kInvalid));
  EXPECT_THAT(validate("tls { certificate_file: 'a' }"), StatusIs(kInvalid, HasSubstr("tls")));
  EXPECT_THAT(validate("tls { client_ca_file: 'a' }"), StatusIs(kInvalid, HasSubstr("tls")));
  EXPECT_THAT(validate("connections { max_age_grace_seconds: 10 }"),
              StatusIs(kInvalid, HasSubstr("at least 3600")));
}

TEST(ServerConfig, EffectiveTextHoldsEveryDefaultAndReadsBack) {
  const std::string text = EffectiveConfigText(GoodConfig());
  EXPECT_THAT(text, HasSubstr("model_repository: \"models\""));
  EXPECT_THAT(text, HasSubstr("max_cases: 16"));
  EXPECT_THAT(text, HasSubstr("allow_model_control: false"));
  ServerConfig again;
  NNSEG_ASSERT_OK(MergeConfigText(text, again));
  EXPECT_EQ(EffectiveConfigText(again), text);
}

TEST(ServerConfig, ExampleFileIsValid) {
  ServerConfig config;
  NNSEG_ASSERT_OK(MergeConfigFile(NNSEG_EXAMPLE_CONFIG, config));
  NNSEG_EXPECT_OK(ValidateConfig(config));
}

TEST(ServerConfig, ExampleFilesCommentedTlsIsValidToo) {
  std::ifstream file(NNSEG_EXAMPLE_CONFIG);
  std::string text;
  bool in_tls = false;
  for (std::string line; std::getline(file, line);) {
    in_tls |= line == "# tls {";
    text += in_tls ? line.substr(2) : line;
    text += '\n';
    if (line == "# }") in_tls = false;
  }
  ServerConfig config;
  NNSEG_ASSERT_OK(MergeConfigText(text, config));
  EXPECT_FALSE(config.tls().client_ca_file().empty());
  NNSEG_EXPECT_OK(ValidateConfig(config));
}

}  // namespace
}  // namespace nnseg
