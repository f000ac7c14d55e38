#ifndef NNSEG_SERVER_VOLUME_STORE_H_
#define NNSEG_SERVER_VOLUME_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "core/geometry/geometry.h"
#include "core/pipeline/prepared_cache.h"
#include "core/volume/voxel_buffer.h"
#include "server/admission.h"

namespace nnseg {

/// An image that is kept between requests.
struct KeptImage {
  Geometry geometry;
  VoxelBuffer voxels;
};

/// What a request holds while it uses a kept image, which lives for as long, released or not.
struct VolumeLease {
  std::shared_ptr<const KeptImage> image;
  std::shared_ptr<PreparedCache> prepared;
};

/// Keeps uploaded images under a lease, with the prepared forms that cases made of them. Images
/// live until they are released or idle for too long; the forms used longest ago give way when the
/// volumes' own budget, or the server's admission, which counts all of it as well, has no room.
/// Thread-safe.
class VolumeStore {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;
  struct Options {
    int64_t byte_limit = 0;      ///< of images and prepared forms together
    int max_volumes = 0;         ///< images at the same time, those on their way included
    Clock::duration max_idle{};  ///< an image that nobody used for so long is freed
  };

  /// Room for an image on its way; goes back when it dies.
  struct Room {
    Admission::Ticket volumes;  ///< of the volumes' own budget
    Admission::Ticket server;
  };

  /// Becomes the one that gives way in `admission`, which must outlive the store. The store must
  /// outlive all leases.
  VolumeStore(const Options& options, Admission& admission, Now now = Clock::now);
  ~VolumeStore();

  /// Room for an image of `image_bytes` whose upload takes `transport_bytes` more.
  /// RESOURCE_EXHAUSTED when there is none; the text tells why.
  absl::StatusOr<Room> MakeRoom(int64_t image_bytes, int64_t transport_bytes);

  /// What the owner is told.
  struct Receipt {
    std::string id;  ///< 128 random bits, hexadecimal
    Clock::duration max_idle{};
  };
  /// Keeps an image for `owner`, who wishes it to be freed after `max_idle` without use; zero: the
  /// store's own limit, which none exceeds. REQUIRES: `room` was made for it.
  Receipt Keep(Room room, KeptImage image, std::string owner, Clock::duration max_idle = {});

  /// Lends an image to its owner. NOT_FOUND when there is none, or it belongs to someone else.
  absl::StatusOr<VolumeLease> Borrow(const std::string& id, const std::string& owner);

  /// Forgets an image; requests that use it keep it until they end. NOT_FOUND as for Borrow.
  absl::Status Release(const std::string& id, const std::string& owner);

  /// Forgets what was idle for too long. To be called often.
  void DropIdle();

  /// Images that can be borrowed.
  int size() const;
  /// Bytes of images, borrowable or still in use, and prepared forms.
  int64_t bytes() const { return budget_.bytes_in_use(); }
  /// Prepared forms that requests have found here so far.
  int64_t prepared_hits() const;

 private:
  struct Form;
  struct Volume;
  class Use;
  struct Remains;
  using Volumes = std::map<std::string, std::shared_ptr<Volume>>;

  std::shared_ptr<const PreparedCase> FindForm(Volume& volume, const std::string& key);
  void OfferForm(Volume& volume, const std::string& key,
                 std::shared_ptr<const PreparedCase> prepared);
  void EndUse(Volume& volume);
  // Drops forms of at least `bytes`, those used longest ago first; none if all have less.
  void DropForms(int64_t bytes);

  // These need the lock. What they return is for the caller to free without it.
  absl::StatusOr<Volumes::iterator> Locate(const std::string& id, const std::string& owner);
  Remains Forget(Volumes::iterator place);
  // Its tickets die at once. REQUIRES: there is one.
  std::shared_ptr<const PreparedCase> DropOldestForm();

  const Clock::duration max_idle_;
  Admission& admission_;
  const Now now_;
  Admission budget_;
  mutable std::mutex mu_;
  Volumes volumes_;             // guarded by mu_
  int64_t form_bytes_ = 0;      // guarded by mu_
  uint64_t uses_of_forms_ = 0;  // guarded by mu_: the clock of "longest ago"
  int64_t prepared_hits_ = 0;   // guarded by mu_
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_VOLUME_STORE_H_
