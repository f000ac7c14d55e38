#include "server/stream_monitor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace nnseg {
namespace {

using std::chrono::milliseconds;

struct CountingStream : MonitoredStream {
  void CheckTime(std::chrono::steady_clock::time_point) override { ++checks; }
  void Abort() override { ++aborts; }
  std::atomic<int> checks{0};
  std::atomic<int> aborts{0};
};

TEST(StreamMonitor, ChecksOpenStreamsAgainAndAgain) {
  StreamMonitor monitor;
  CountingStream stream;
  monitor.Add(stream);
  while (stream.checks < 2) std::this_thread::sleep_for(milliseconds(1));
  monitor.Remove(stream);
  const int checks = stream.checks;
  std::this_thread::sleep_for(milliseconds(120));
  EXPECT_EQ(stream.checks, checks);
}

TEST(StreamMonitor, TicksWhileAStreamIsOpen) {
  std::atomic<int> ticks{0};
  StreamMonitor monitor([&] { ++ticks; });
  CountingStream stream;
  monitor.Add(stream);
  while (ticks < 2) std::this_thread::sleep_for(milliseconds(1));
  monitor.Remove(stream);
}

TEST(StreamMonitor, TicksWithoutStreamsToo) {
  std::atomic<int> ticks{0};
  StreamMonitor monitor([&] { ++ticks; });
  while (ticks < 2) std::this_thread::sleep_for(milliseconds(1));
}

TEST(StreamMonitor, AbortReachesEveryStream) {
  StreamMonitor monitor;
  CountingStream a;
  CountingStream b;
  monitor.Add(a);
  monitor.Add(b);
  EXPECT_EQ(monitor.size(), 2);
  monitor.AbortAll();
  EXPECT_EQ(a.aborts, 1);
  EXPECT_EQ(b.aborts, 1);
  monitor.Remove(a);
  monitor.Remove(b);
}

TEST(StreamMonitor, WaitsForTheLastStream) {
  StreamMonitor monitor;
  EXPECT_TRUE(monitor.WaitUntilEmpty(milliseconds(0)));
  CountingStream stream;
  monitor.Add(stream);
  EXPECT_FALSE(monitor.WaitUntilEmpty(milliseconds(20)));
  std::thread remover([&] {
    std::this_thread::sleep_for(milliseconds(20));
    monitor.Remove(stream);
  });
  EXPECT_TRUE(monitor.WaitUntilEmpty(std::chrono::seconds(30)));
  remover.join();
}

}  // namespace
}  // namespace nnseg
