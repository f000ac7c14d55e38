#ifndef NNSEG_CORE_BASE_BOUNDED_QUEUE_H_
#define NNSEG_CORE_BASE_BOUNDED_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace nnseg {

/// A first-in first-out queue of at most `capacity` items between threads. A full queue holds its
/// producers back: that is the pipeline's back-pressure. Thread-safe.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { NNSEG_CHECK(capacity > 0); }

  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  /// Blocks while the queue is full. False, with `item` untouched, once the queue is closed.
  bool Push(T&& item) {
    std::unique_lock lock(mu_);
    not_full_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    return PushLocked(std::move(item));
  }

  /// False, with `item` untouched, if the queue is full or closed. Never blocks.
  bool TryPush(T&& item) {
    std::unique_lock lock(mu_);
    return items_.size() < capacity_ && PushLocked(std::move(item));
  }

  /// Blocks while the queue is empty. Nothing once the queue is closed and drained.
  std::optional<T> Pop() {
    std::unique_lock lock(mu_);
    not_empty_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }

  /// Takes out the waiting items that `unwanted` picks, in order.
  template <typename Predicate>
  std::vector<T> Remove(Predicate unwanted) {
    std::lock_guard lock(mu_);
    std::vector<T> removed;
    std::deque<T> kept;
    for (T& item : items_) {
      if (unwanted(std::as_const(item))) {
        removed.push_back(std::move(item));
      } else {
        kept.push_back(std::move(item));
      }
    }
    items_ = std::move(kept);
    if (!removed.empty()) not_full_.notify_all();
    return removed;
  }

  /// Wakes all waiters; queued items can still be popped, new ones are refused. Idempotent.
  void Close() {
    std::lock_guard lock(mu_);
    closed_ = true;
    not_full_.notify_all();
    not_empty_.notify_all();
  }

  std::size_t size() const {
    std::lock_guard lock(mu_);
    return items_.size();
  }

 private:
  bool PushLocked(T&& item) {
    if (closed_) return false;
    items_.push_back(std::move(item));
    not_empty_.notify_one();
    return true;
  }

  const std::size_t capacity_;
  mutable std::mutex mu_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_BASE_BOUNDED_QUEUE_H_
