#include "core/base/parallel_for.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/check.h"
#include "core/base/float_environment.h"

namespace nnseg {
namespace {

// A range is this part of what each thread's share of the rest is: so ranges become ever smaller,
// and all threads end at about the same time.
constexpr int64_t kPartOfShare = 3;

std::atomic<int> requested_threads{0};

int UsableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

// One parallel loop: ranges are taken off the front until none is left. Who takes part
// counts as active first, so once the caller finds no range left and nobody active, all is done; a
// helper that comes later finds no range and leaves `body` alone.
struct Loop {
  int64_t count = 0;
  int64_t threads = 1;
  const std::function<void(int64_t, int64_t)>* body = nullptr;
  std::atomic<int64_t> next{0};
  std::atomic<int> active{0};  // helpers at work

  void Work() {
    int64_t begin = next.load();
    while (begin < count) {
      const int64_t end = begin + std::max<int64_t>(1, (count - begin) / (threads * kPartOfShare));
      if (!next.compare_exchange_weak(begin, end)) continue;
      (*body)(begin, end);
      begin = next.load();
    }
  }
};

// Helpers that wait for loops; a loop posts itself once for each helper it wants.
class WorkerPool {
 public:
  explicit WorkerPool(int workers) : queue_(1024) {
    for (int i = 0; i < workers; ++i) {
      threads_.emplace_back([this] {
        const ScopedSubnormals subnormals;
        while (const auto loop = queue_.Pop()) {
          (*loop)->active.fetch_add(1);
          (*loop)->Work();
          (*loop)->active.fetch_sub(1);
          (*loop)->active.notify_all();
        }
      });
    }
  }

  ~WorkerPool() {
    queue_.Close();
    for (auto& thread : threads_) thread.join();
  }

  // False if no helper could be asked; the caller then does the work alone.
  bool Post(std::shared_ptr<Loop> loop) { return queue_.TryPush(std::move(loop)); }
  int size() const { return static_cast<int>(threads_.size()); }

 private:
  BoundedQueue<std::shared_ptr<Loop>> queue_;
  std::vector<std::thread> threads_;
};

WorkerPool& Pool() {
  static WorkerPool pool(HostThreads() - 1);
  return pool;
}

}  // namespace

int HostThreads() {
  const int requested = requested_threads.load();
  return requested > 0 ? requested : UsableCores();
}

void SetHostThreads(int threads) {
  NNSEG_CHECK(threads >= 1);
  requested_threads.store(threads);
}

void ParallelFor(int64_t count, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  WorkerPool& pool = Pool();
  auto loop = std::make_shared<Loop>();
  loop->count = count;
  loop->threads = pool.size() + 1;
  loop->body = &body;
  for (int64_t i = 0; i < std::min<int64_t>(pool.size(), count - 1); ++i) {
    if (!pool.Post(loop)) break;
  }
  loop->Work();
  // Helpers may still be inside their last range. Those that have not come yet are not waited for:
  // they may be busy with another caller's loop.
  for (int left = loop->active.load(); left != 0; left = loop->active.load()) {
    loop->active.wait(left);
  }
}

}  // namespace nnseg
