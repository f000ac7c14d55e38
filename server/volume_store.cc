#include "server/volume_store.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

std::string RandomId() {
  std::array<char, 16> bits;
  NNSEG_CHECK(getentropy(bits.data(), bits.size()) == 0);
  return absl::BytesToHexString(absl::string_view(bits.data(), bits.size()));
}

}  // namespace

struct VolumeStore::Form {
  std::shared_ptr<const PreparedCase> prepared;
  Admission::Ticket volumes;
  Admission::Ticket server;
  int64_t bytes = 0;
  uint64_t last_use = 0;
};

struct VolumeStore::Volume {
  Room room;
  KeptImage image;
  std::string owner;
  Clock::duration max_idle;
  // Guarded by the store's lock.
  Clock::time_point last_use;
  int users = 0;
  bool forgotten = false;
  std::map<std::string, Form> forms;
};

/// Of a volume that was forgotten.
struct VolumeStore::Remains {
  std::shared_ptr<Volume> volume;
  std::map<std::string, Form> forms;
};

/// One request's use of a volume.
class VolumeStore::Use final : public PreparedCache {
 public:
  Use(VolumeStore& store, std::shared_ptr<Volume> volume)
      : store_(store), volume_(std::move(volume)) {}
  ~Use() override { store_.EndUse(*volume_); }

  const KeptImage& image() const { return volume_->image; }
  std::shared_ptr<const PreparedCase> Find(const std::string& key) override {
    return store_.FindForm(*volume_, key);
  }
  void Offer(const std::string& key, std::shared_ptr<const PreparedCase> prepared) override {
    store_.OfferForm(*volume_, key, std::move(prepared));
  }

 private:
  VolumeStore& store_;
  const std::shared_ptr<Volume> volume_;
};

VolumeStore::VolumeStore(const Options& options, Admission& admission, Now now)
    : max_idle_(options.max_idle),
      admission_(admission),
      now_(std::move(now)),
      budget_(options.byte_limit, options.max_volumes, "volume") {
  budget_.SetReclaim([this](int64_t missing) { DropForms(missing); });
  admission_.SetReclaim([this](int64_t missing) { DropForms(missing); });
}

VolumeStore::~VolumeStore() { admission_.SetReclaim({}); }

absl::StatusOr<VolumeStore::Room> VolumeStore::MakeRoom(int64_t image_bytes,
                                                        int64_t transport_bytes) {
  Room room;
  NNSEG_ASSIGN_OR_RETURN(room.volumes, budget_.Admit(image_bytes));
  NNSEG_ASSIGN_OR_RETURN(room.server, admission_.Admit(image_bytes + transport_bytes));
  return room;
}

VolumeStore::Receipt VolumeStore::Keep(Room room, KeptImage image, std::string owner,
                                       Clock::duration max_idle) {
  auto volume = std::make_shared<Volume>();
  room.server.Keep(static_cast<int64_t>(image.voxels.bytes().size()));
  volume->room = std::move(room);
  volume->image = std::move(image);
  volume->owner = std::move(owner);
  volume->max_idle = max_idle > Clock::duration::zero() ? std::min(max_idle, max_idle_) : max_idle_;
  volume->last_use = now_();
  Receipt receipt{.id = RandomId(), .max_idle = volume->max_idle};
  std::lock_guard lock(mu_);
  volumes_.emplace(receipt.id, std::move(volume));
  return receipt;
}

absl::StatusOr<VolumeLease> VolumeStore::Borrow(const std::string& id, const std::string& owner) {
  std::shared_ptr<Volume> volume;
  {
    std::lock_guard lock(mu_);
    NNSEG_ASSIGN_OR_RETURN(const auto place, Locate(id, owner));
    volume = place->second;
    ++volume->users;
  }
  const auto use = std::make_shared<Use>(*this, std::move(volume));
  return VolumeLease{.image = std::shared_ptr<const KeptImage>(use, &use->image()),
                     .prepared = use};
}

void VolumeStore::EndUse(Volume& volume) {
  const auto now = now_();
  std::lock_guard lock(mu_);
  --volume.users;
  volume.last_use = now;
}

absl::Status VolumeStore::Release(const std::string& id, const std::string& owner) {
  Remains released;
  std::lock_guard lock(mu_);
  NNSEG_ASSIGN_OR_RETURN(const auto place, Locate(id, owner));
  released = Forget(place);
  return absl::OkStatus();
}

void VolumeStore::DropIdle() {
  const auto now = now_();
  std::vector<Remains> idle;
  std::lock_guard lock(mu_);
  for (auto next = volumes_.begin(); next != volumes_.end();) {
    const auto place = next++;
    const Volume& volume = *place->second;
    if (volume.users == 0 && now - volume.last_use >= volume.max_idle) {
      idle.push_back(Forget(place));
    }
  }
}

int VolumeStore::size() const {
  std::lock_guard lock(mu_);
  return static_cast<int>(volumes_.size());
}

int64_t VolumeStore::prepared_hits() const {
  std::lock_guard lock(mu_);
  return prepared_hits_;
}

std::shared_ptr<const PreparedCase> VolumeStore::FindForm(Volume& volume, const std::string& key) {
  std::lock_guard lock(mu_);
  const auto found = volume.forms.find(key);
  if (found == volume.forms.end()) return nullptr;
  found->second.last_use = ++uses_of_forms_;
  ++prepared_hits_;
  return found->second.prepared;
}

void VolumeStore::OfferForm(Volume& volume, const std::string& key,
                            std::shared_ptr<const PreparedCase> prepared) {
  const int64_t bytes = prepared->image.size() * static_cast<int64_t>(sizeof(float));
  std::vector<std::shared_ptr<const PreparedCase>> dropped;
  std::lock_guard lock(mu_);
  if (volume.forgotten || volume.forms.count(key) > 0) return;
  for (const Admission* limit : std::array<const Admission*, 2>{&budget_, &admission_}) {
    // Not even in place of all other forms.
    if (bytes > limit->byte_limit() - limit->bytes_in_use() + form_bytes_) return;
  }
  for (;;) {
    auto of_volumes = budget_.AdmitKept(bytes);
    auto of_server = admission_.AdmitKept(bytes);
    if (of_volumes.ok() && of_server.ok()) {
      form_bytes_ += bytes;
      volume.forms.emplace(key, Form{.prepared = std::move(prepared),
                                     .volumes = *std::move(of_volumes),
                                     .server = *std::move(of_server),
                                     .bytes = bytes,
                                     .last_use = ++uses_of_forms_});
      return;
    }
    if (form_bytes_ == 0) return;
    dropped.push_back(DropOldestForm());
  }
}

void VolumeStore::DropForms(int64_t bytes) {
  std::vector<std::shared_ptr<const PreparedCase>> dropped;
  std::lock_guard lock(mu_);
  if (form_bytes_ < bytes) return;
  for (const int64_t left = form_bytes_ - bytes; form_bytes_ > left;) {
    dropped.push_back(DropOldestForm());
  }
}

absl::StatusOr<VolumeStore::Volumes::iterator> VolumeStore::Locate(const std::string& id,
                                                                   const std::string& owner) {
  const auto place = volumes_.find(id);
  if (place == volumes_.end() || place->second->owner != owner) {
    return absl::NotFoundError(
        "no such volume: it was released, unused for too long, or is not yours");
  }
  return place;
}

VolumeStore::Remains VolumeStore::Forget(Volumes::iterator place) {
  Remains remains{.volume = std::move(place->second)};
  volumes_.erase(place);
  remains.volume->forgotten = true;
  remains.forms = std::move(remains.volume->forms);
  for (const auto& [key, form] : remains.forms) form_bytes_ -= form.bytes;
  return remains;
}

std::shared_ptr<const PreparedCase> VolumeStore::DropOldestForm() {
  Volume* holder = nullptr;
  std::map<std::string, Form>::iterator oldest;
  for (const auto& [id, volume] : volumes_) {
    for (auto form = volume->forms.begin(); form != volume->forms.end(); ++form) {
      if (holder == nullptr || form->second.last_use < oldest->second.last_use) {
        holder = volume.get();
        oldest = form;
      }
    }
  }
  NNSEG_CHECK(holder != nullptr);
  std::shared_ptr<const PreparedCase> prepared = std::move(oldest->second.prepared);
  form_bytes_ -= oldest->second.bytes;
  holder->forms.erase(oldest);
  return prepared;
}

}  // namespace nnseg
