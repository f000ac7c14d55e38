#include "server/volume_store.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kNotFound = absl::StatusCode::kNotFound;

constexpr int64_t kImageBytes = 100;
constexpr int64_t kFormBytes = 40;

KeptImage MakeImage() {
  return {.geometry = {.size = {kImageBytes, 1, 1}},
          .voxels = VoxelBuffer::Allocate(PixelType::kUint8, 1, {{1, 1, kImageBytes}}).value()};
}

std::shared_ptr<const PreparedCase> MakeForm(int64_t bytes = kFormBytes) {
  auto form = std::make_shared<PreparedCase>();
  form->image = Volume<float>::Filled(1, {{1, 1, bytes / 4}}, 0);
  return form;
}

class VolumeStoreTest : public testing::Test {
 protected:
  std::string Keep(const std::string& owner = "", VolumeStore::Clock::duration max_idle = {}) {
    auto room = store_.MakeRoom(kImageBytes, 50);
    NNSEG_EXPECT_OK(room);
    return store_.Keep(*std::move(room), MakeImage(), owner, max_idle).id;
  }
  VolumeLease Borrow(const std::string& id) {
    auto lease = store_.Borrow(id, "");
    NNSEG_EXPECT_OK(lease);
    return lease.ok() ? *std::move(lease) : VolumeLease{};
  }
  void Pass(VolumeStore::Clock::duration time) {
    now_ += time;
    store_.DropIdle();
  }

  VolumeStore::Clock::time_point now_{};
  Admission admission_{1000, 4};
  VolumeStore store_{{.byte_limit = 300, .max_volumes = 2, .max_idle = seconds(10)},
                     admission_,
                     [this] { return now_; }};
};

TEST_F(VolumeStoreTest, KeptImageCostsItsBytesAndNoPlace) {
  {
    const auto room = store_.MakeRoom(kImageBytes, 50);
    NNSEG_ASSERT_OK(room);
    EXPECT_EQ(admission_.bytes_in_use(), 150);
    EXPECT_EQ(admission_.places_in_use(), 1);
    EXPECT_EQ(store_.bytes(), 100);
  }
  EXPECT_EQ(admission_.bytes_in_use(), 0);
  EXPECT_EQ(store_.bytes(), 0);
  const std::string id = Keep();
  EXPECT_EQ(admission_.bytes_in_use(), 100);
  EXPECT_EQ(admission_.places_in_use(), 0);
  EXPECT_EQ(store_.size(), 1);
  NNSEG_EXPECT_OK(store_.Release(id, ""));
  EXPECT_EQ(admission_.bytes_in_use(), 0);
  EXPECT_EQ(store_.bytes(), 0);
  EXPECT_EQ(store_.size(), 0);
}

TEST_F(VolumeStoreTest, IdsAreLongAndDiffer) {
  const std::string id = Keep();
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(Keep(), id);
}

TEST_F(VolumeStoreTest, BorrowerSeesTheImageThatWasKept) {
  auto room = store_.MakeRoom(kImageBytes, 0);
  KeptImage image = MakeImage();
  image.voxels.bytes()[7] = std::byte{42};
  const std::byte* const where = image.voxels.bytes().data();
  const std::string id = store_.Keep(*std::move(room), std::move(image), "").id;
  const VolumeLease lease = Borrow(id);
  EXPECT_EQ(lease.image->voxels.bytes()[7], std::byte{42});
  EXPECT_EQ(lease.image->voxels.bytes().data(), where);
  EXPECT_EQ(lease.image->geometry.size[0], kImageBytes);
}

TEST_F(VolumeStoreTest, OnlyTheOwnerFindsAVolume) {
  const std::string id = Keep("alice");
  EXPECT_THAT(store_.Borrow(id, "bob"), StatusIs(kNotFound));
  EXPECT_THAT(store_.Release(id, ""), StatusIs(kNotFound));
  EXPECT_THAT(store_.Borrow(id.substr(1), "alice"), StatusIs(kNotFound));
  NNSEG_EXPECT_OK(store_.Borrow(id, "alice"));
  NNSEG_EXPECT_OK(store_.Release(id, "alice"));
  EXPECT_THAT(store_.Borrow(id, "alice"), StatusIs(kNotFound));
}

TEST_F(VolumeStoreTest, NoVolumesBeyondTheLimits) {
  Keep();
  const std::string second = Keep();
  EXPECT_THAT(store_.MakeRoom(1, 0), StatusIs(kExhausted, HasSubstr("all 2 places for volumes")));
  NNSEG_EXPECT_OK(store_.Release(second, ""));
  EXPECT_THAT(store_.MakeRoom(201, 0), StatusIs(kExhausted, HasSubstr("200 of 300 are free")));
  EXPECT_THAT(store_.MakeRoom(301, 0), StatusIs(kExhausted, HasSubstr("too large")));
  const auto running = admission_.Admit(890);
  EXPECT_THAT(store_.MakeRoom(11, 0), StatusIs(kExhausted, HasSubstr("10 of 1000 are free")));
  EXPECT_EQ(store_.bytes(), 100);
}

TEST_F(VolumeStoreTest, IdleVolumeIsFreedAtItsTime) {
  const std::string id = Keep();
  Pass(seconds(9));
  EXPECT_EQ(store_.size(), 1);
  Pass(seconds(1));
  EXPECT_EQ(store_.size(), 0);
  EXPECT_EQ(admission_.bytes_in_use(), 0);
  EXPECT_THAT(store_.Borrow(id, ""), StatusIs(kNotFound));
}

TEST_F(VolumeStoreTest, TimeCountsFromTheEndOfTheLastUse) {
  const std::string id = Keep();
  {
    const VolumeLease first = Borrow(id);
    Pass(seconds(8));
    const VolumeLease second = Borrow(id);
    Pass(seconds(1000));
    EXPECT_EQ(store_.size(), 1);
  }
  Pass(seconds(9));
  EXPECT_EQ(store_.size(), 1);
  Pass(seconds(1));
  EXPECT_EQ(store_.size(), 0);
}

TEST_F(VolumeStoreTest, ClientsMayAskForLessTimeButNotForMore) {
  auto room = store_.MakeRoom(kImageBytes, 0);
  EXPECT_EQ(store_.Keep(*std::move(room), MakeImage(), "", seconds(3)).max_idle, seconds(3));
  room = store_.MakeRoom(kImageBytes, 0);
  EXPECT_EQ(store_.Keep(*std::move(room), MakeImage(), "", seconds(30)).max_idle, seconds(10));
  Pass(seconds(3));
  EXPECT_EQ(store_.size(), 1);
}

TEST_F(VolumeStoreTest, ReleaseDoesNotHurtARunningRequest) {
  const std::string id = Keep();
  VolumeLease lease = Borrow(id);
  NNSEG_EXPECT_OK(store_.Release(id, ""));
  EXPECT_THAT(store_.Borrow(id, ""), StatusIs(kNotFound));
  EXPECT_EQ(lease.image->voxels.bytes().size(), kImageBytes);
  EXPECT_EQ(admission_.bytes_in_use(), 100);  // it is still there
  lease.prepared->Offer("plan", MakeForm());
  EXPECT_EQ(lease.prepared->Find("plan"), nullptr);  // but keeps nothing more
  lease.image = nullptr;
  EXPECT_EQ(admission_.bytes_in_use(), 100);
  lease.prepared = nullptr;
  EXPECT_EQ(admission_.bytes_in_use(), 0);
  EXPECT_EQ(store_.bytes(), 0);
}

TEST_F(VolumeStoreTest, PreparedFormIsSharedAndCounted) {
  const std::string id = Keep();
  const auto form = MakeForm();
  Borrow(id).prepared->Offer("plan", form);
  EXPECT_EQ(store_.bytes(), kImageBytes + kFormBytes);
  EXPECT_EQ(admission_.bytes_in_use(), kImageBytes + kFormBytes);
  EXPECT_EQ(Borrow(id).prepared->Find("plan"), form);
  EXPECT_EQ(Borrow(id).prepared->Find("other plan"), nullptr);
  EXPECT_EQ(store_.prepared_hits(), 1);
  Borrow(id).prepared->Offer("plan", MakeForm());  // two requests made it at the same time
  EXPECT_EQ(store_.bytes(), kImageBytes + kFormBytes);
  EXPECT_EQ(Borrow(id).prepared->Find("plan"), form);
  NNSEG_EXPECT_OK(store_.Release(id, ""));
  EXPECT_EQ(store_.bytes(), 0);
  EXPECT_EQ(admission_.bytes_in_use(), 0);
}

TEST_F(VolumeStoreTest, FormUsedLongestAgoGivesWayToANewOne) {
  const VolumeLease a = Borrow(Keep());
  const VolumeLease b = Borrow(Keep());
  a.prepared->Offer("first", MakeForm());
  b.prepared->Offer("second", MakeForm());  // 280 of 300
  EXPECT_NE(a.prepared->Find("first"), nullptr);
  a.prepared->Offer("third", MakeForm());
  EXPECT_EQ(b.prepared->Find("second"), nullptr);
  EXPECT_NE(a.prepared->Find("first"), nullptr);
  EXPECT_NE(a.prepared->Find("third"), nullptr);
  EXPECT_EQ(store_.bytes(), 280);
}

TEST_F(VolumeStoreTest, FormThatNeverFitsDrivesNothingOut) {
  const VolumeLease lease = Borrow(Keep());
  lease.prepared->Offer("small", MakeForm());
  lease.prepared->Offer("large", MakeForm(204));  // beside the image there are 200
  EXPECT_EQ(lease.prepared->Find("large"), nullptr);
  EXPECT_NE(lease.prepared->Find("small"), nullptr);
  lease.prepared->Offer("fitting", MakeForm(200));
  EXPECT_NE(lease.prepared->Find("fitting"), nullptr);
  EXPECT_EQ(lease.prepared->Find("small"), nullptr);
}

TEST_F(VolumeStoreTest, FormsGiveWayToANewVolume) {
  const VolumeLease lease = Borrow(Keep());
  for (const char* key : {"1", "2", "3", "4"}) lease.prepared->Offer(key, MakeForm());
  EXPECT_EQ(store_.bytes(), 260);
  NNSEG_EXPECT_OK(store_.MakeRoom(kImageBytes, 0));  // 60 are missing: two forms
  EXPECT_EQ(store_.bytes(), 180);
  EXPECT_EQ(lease.prepared->Find("2"), nullptr);
  EXPECT_NE(lease.prepared->Find("3"), nullptr);
}

TEST_F(VolumeStoreTest, FormsGiveWayToACaseButImagesDoNot) {
  const VolumeLease lease = Borrow(Keep());
  lease.prepared->Offer("1", MakeForm());
  lease.prepared->Offer("2", MakeForm());
  EXPECT_THAT(admission_.Admit(901), StatusIs(kExhausted));  // all forms would not be enough
  EXPECT_EQ(store_.bytes(), 180);
  NNSEG_EXPECT_OK(admission_.Admit(850));
  EXPECT_EQ(lease.prepared->Find("1"), nullptr);
  EXPECT_NE(lease.prepared->Find("2"), nullptr);
}

TEST_F(VolumeStoreTest, FormInUseOutlivesItsDrop) {
  const VolumeLease lease = Borrow(Keep());
  lease.prepared->Offer("plan", MakeForm());
  const auto form = lease.prepared->Find("plan");
  NNSEG_EXPECT_OK(admission_.Admit(900));
  EXPECT_EQ(lease.prepared->Find("plan"), nullptr);
  EXPECT_EQ(form->image.size(), kFormBytes / 4);
}

TEST_F(VolumeStoreTest, BytesComeToNothingAfterContention) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        auto room = store_.MakeRoom(kImageBytes, 50);
        if (!room.ok()) {
          store_.DropIdle();
          continue;
        }
        const std::string id = store_.Keep(*std::move(room), MakeImage(), "").id;
        const auto lease = store_.Borrow(id, "");
        NNSEG_ASSERT_OK(lease);
        lease->prepared->Offer("plan", MakeForm());
        lease->prepared->Find("plan");
        admission_.Admit(850).IgnoreError();
        NNSEG_EXPECT_OK(store_.Release(id, ""));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store_.size(), 0);
  EXPECT_EQ(store_.bytes(), 0);
  EXPECT_EQ(admission_.bytes_in_use(), 0);
  EXPECT_EQ(admission_.places_in_use(), 0);
}

}  // namespace
}  // namespace nnseg
