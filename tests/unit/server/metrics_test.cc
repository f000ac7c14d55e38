#include "server/metrics.h"

#include <gmock/gmock.h>

namespace nnseg {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(Metrics, CountsRequestsByModelVersionAndCode) {
  Metrics metrics;
  metrics.RequestEnded("brain", "1", "OK", 0.2);
  metrics.RequestEnded("brain", "1", "OK", 3);
  metrics.RequestEnded("", "", "NOT_FOUND", 0.001);
  const std::string text = metrics.ToText();
  EXPECT_THAT(text, HasSubstr(R"(nnseg_requests_total{code="OK",model="brain",version="1"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(nnseg_requests_total{code="NOT_FOUND",model="",version=""} 1)"));
  EXPECT_THAT(text,
              HasSubstr(R"(nnseg_request_duration_seconds_bucket{model="brain",le="0.25"} 1)"));
}

TEST(Metrics, GaugesAreReadAtEachScrape) {
  Metrics metrics;
  double value = 1;
  metrics.AddGauge("nnseg_test", "A test", [&] { return value; });
  EXPECT_THAT(metrics.ToText(), HasSubstr("nnseg_test 1\n"));
  value = 2;
  EXPECT_THAT(metrics.ToText(), HasSubstr("nnseg_test 2\n"));
}

TEST(Metrics, TellsTheBuildAndTheProcess) {
  const std::string text = Metrics().ToText();
  EXPECT_THAT(text, HasSubstr("nnseg_build_info{"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_resident_memory_bytes [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_open_fds [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_threads [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_start_time_seconds 1[0-9]+"));
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter"));
}

}  // namespace
}  // namespace nnseg
