#include "server/event_log.h"

#include <gmock/gmock.h>

namespace nnseg {
namespace {

TEST(EventLog, LineIsOneJsonObjectWithTimeLevelAndEventFirst) {
  const std::string line =
      FormatEvent(LogLevel::kWarning, "request", {{"request_id", "a"}, {"seconds", 0.5}});
  EXPECT_THAT(line, testing::MatchesRegex(
                        R"(\{"ts":"[-0-9]+T[0-9:.]+Z","level":"warning","event":"request",)"
                        R"("request_id":"a","seconds":0.5\})"));
  EXPECT_EQ(nlohmann::json::parse(line)["seconds"], 0.5);
}

TEST(EventLog, ControlCharactersAndBrokenTextStayWithinTheLine) {
  const std::string line = FormatEvent(LogLevel::kInfo, "x", {{"text", "a\n\x01\xFF\"b"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line)["text"], "a\n\x01\uFFFD\"b");
}

}  // namespace
}  // namespace nnseg
