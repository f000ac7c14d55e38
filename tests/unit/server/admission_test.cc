#include "server/admission.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

TEST(Admission, CountsBytesAndPlacesUntilTheTicketDies) {
  Admission admission(100, 2);
  {
    const auto ticket = admission.Admit(60);
    NNSEG_ASSERT_OK(ticket);
    EXPECT_EQ(admission.bytes_in_use(), 60);
    EXPECT_EQ(admission.places_in_use(), 1);
  }
  EXPECT_EQ(admission.bytes_in_use(), 0);
  EXPECT_EQ(admission.places_in_use(), 0);
}

TEST(Admission, TellsWhatNeverFitsFromWhatDoesNotFitNow) {
  Admission admission(100, 2);
  EXPECT_THAT(admission.Admit(101), StatusIs(kExhausted, HasSubstr("budget of 100: too large")));
  const auto ticket = admission.Admit(60);
  NNSEG_ASSERT_OK(ticket);
  EXPECT_THAT(admission.Admit(41), StatusIs(kExhausted, HasSubstr("40 of 100 are free")));
  NNSEG_EXPECT_OK(admission.Admit(40));
}

TEST(Admission, RefusesBeyondTheLastPlace) {
  Admission admission(100, 1);
  const auto ticket = admission.Admit(1);
  EXPECT_THAT(admission.Admit(1), StatusIs(kExhausted, HasSubstr("all 1 places")));
}

TEST(Admission, RefusalTakesNothing) {
  Admission admission(100, 1);
  EXPECT_FALSE(admission.Admit(101).ok());
  EXPECT_EQ(admission.places_in_use(), 0);
}

TEST(Admission, MovedTicketReleasesOnce) {
  Admission admission(100, 2);
  Admission::Ticket kept;
  {
    auto ticket = admission.Admit(30);
    NNSEG_ASSERT_OK(ticket);
    kept = *std::move(ticket);
  }
  EXPECT_EQ(admission.bytes_in_use(), 30);
  kept = {};
  EXPECT_EQ(admission.bytes_in_use(), 0);
  EXPECT_EQ(admission.places_in_use(), 0);
}

TEST(Admission, KeptBytesTakeNoPlace) {
  Admission admission(100, 1);
  const auto kept = admission.AdmitKept(60);
  NNSEG_ASSERT_OK(kept);
  EXPECT_EQ(admission.places_in_use(), 0);
  EXPECT_THAT(admission.AdmitKept(41), StatusIs(kExhausted));
  NNSEG_EXPECT_OK(admission.Admit(40));
}

TEST(Admission, TicketKeepsAPartOfItsBytesWithoutItsPlace) {
  Admission admission(100, 1);
  auto ticket = admission.Admit(60);
  NNSEG_ASSERT_OK(ticket);
  ticket->Keep(25);
  EXPECT_EQ(admission.bytes_in_use(), 25);
  EXPECT_EQ(admission.places_in_use(), 0);
  *ticket = {};
  EXPECT_EQ(admission.bytes_in_use(), 0);
  EXPECT_EQ(admission.places_in_use(), 0);
}

TEST(Admission, ReclaimsWhatIsMissingBeforeItRefuses) {
  Admission admission(100, 2);
  auto kept = admission.AdmitKept(60).value();
  std::vector<int64_t> missing;
  admission.SetReclaim([&](int64_t bytes) {
    missing.push_back(bytes);
    kept = {};
  });
  const auto first = admission.Admit(70);
  NNSEG_EXPECT_OK(first);
  EXPECT_THAT(admission.Admit(31), StatusIs(kExhausted));  // nothing is left to give way
  EXPECT_THAT(missing, testing::ElementsAre(30, 1));
}

TEST(Admission, NothingIsReclaimedForWhatIsRefusedAnyway) {
  Admission admission(100, 1);
  int reclaims = 0;
  admission.SetReclaim([&](int64_t) { ++reclaims; });
  EXPECT_FALSE(admission.Admit(101).ok());
  const auto ticket = admission.Admit(50);
  EXPECT_FALSE(admission.Admit(60).ok());  // no place
  EXPECT_FALSE(admission.AdmitKept(60).ok());
  EXPECT_EQ(reclaims, 0);
}

TEST(Admission, CountsDeviceBytesByTheSameTicket) {
  Admission admission(100, 4, "case", std::make_shared<DeviceMemory>(50));
  EXPECT_EQ(admission.device_byte_limit(), 50);
  auto ticket = admission.Admit(60, 30);
  NNSEG_ASSERT_OK(ticket);
  EXPECT_EQ(admission.bytes_in_use(), 60);
  EXPECT_EQ(admission.device_bytes_in_use(), 30);
  EXPECT_THAT(admission.Admit(1, 21),
              StatusIs(kExhausted,
                       "the case needs 21 bytes of device memory, 20 of 50 are free: try again "
                       "later"));
  EXPECT_THAT(admission.Admit(41, 1),
              StatusIs(kExhausted,
                       "the case needs 41 bytes of host memory, 40 of 100 are free: try again "
                       "later"));
  EXPECT_EQ(admission.bytes_in_use(), 60);  // a refusal by one takes nothing of the other
  NNSEG_EXPECT_OK(admission.Admit(40, 20));
  ticket->Keep(10);
  EXPECT_EQ(admission.device_bytes_in_use(), 0);
  *ticket = {};
  EXPECT_EQ(admission.bytes_in_use(), 0);
  EXPECT_EQ(admission.device_bytes_in_use(), 0);
}

TEST(Admission, TellsWhichMemoryACaseIsTooLargeFor) {
  Admission admission(100, 4, "case", std::make_shared<DeviceMemory>(50));
  EXPECT_THAT(admission.Admit(101, 51),
              StatusIs(kExhausted,
                       HasSubstr("of host memory, this server has a budget of 100: too large")));
  EXPECT_THAT(admission.Admit(100, 51),
              StatusIs(kExhausted,
                       "the case needs 51 bytes of device memory, this server has a budget of 50: "
                       "too large"));
  EXPECT_THAT(Admission(100, 4).Admit(1, 1), StatusIs(kExhausted, HasSubstr("budget of 0")));
}

TEST(Admission, NetworksLoadedLaterLeaveLessToCases) {
  const auto memory = std::make_shared<DeviceMemory>(50);
  Admission admission(100, 4, "case", memory);
  const auto ticket = admission.Admit(1, 30);
  NNSEG_ASSERT_OK(ticket);
  const auto share = DeviceMemory::ShareOf(memory, 25);
  EXPECT_EQ(admission.device_byte_limit(), 25);
  EXPECT_THAT(admission.Admit(1, 26), StatusIs(kExhausted, HasSubstr("too large")));
  EXPECT_THAT(admission.Admit(1, 1), StatusIs(kExhausted, HasSubstr("0 of 25 are free")));
  NNSEG_EXPECT_OK(admission.Admit(1, 0));
}

TEST(Admission, NothingIsReclaimedForACaseThatTheDeviceHasNoRoomFor) {
  Admission admission(100, 4, "case", std::make_shared<DeviceMemory>(50));
  const auto kept = admission.AdmitKept(90);
  int reclaims = 0;
  admission.SetReclaim([&](int64_t) { ++reclaims; });
  EXPECT_FALSE(admission.Admit(20, 51).ok());
  EXPECT_EQ(reclaims, 0);
  EXPECT_FALSE(admission.Admit(20, 50).ok());
  EXPECT_EQ(reclaims, 1);
}

TEST(Admission, NamesWhatItAdmits) {
  Admission admission(100, 0, "volume");
  EXPECT_THAT(admission.Admit(101), StatusIs(kExhausted, HasSubstr("the volume needs 101")));
  EXPECT_THAT(admission.Admit(1), StatusIs(kExhausted, HasSubstr("all 0 places for volumes")));
}

TEST(Admission, NeverExceedsItsLimitsUnderContention) {
  Admission admission(10, 4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto ticket = admission.Admit(3);
        EXPECT_LE(admission.bytes_in_use(), 10);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admission.bytes_in_use(), 0);
}

TEST(Admission, DefaultBudgetIsAPartOfTheMachinesMemory) {
  EXPECT_GT(DefaultMemoryBudget(), 64 << 20);
}

}  // namespace
}  // namespace nnseg
