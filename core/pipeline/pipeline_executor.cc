#include "core/pipeline/pipeline_executor.h"

#include <thread>
#include <utility>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/free_memory.h"
#include "core/base/stop_watch.h"

namespace nnseg {
namespace {

// The last line of defence for what library code may throw (std::bad_alloc above all): the case
// fails, the service goes on.
template <typename F>
auto Guarded(F&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the server ran out of memory while it worked on the case");
  } catch (const std::exception&) {
    return absl::InternalError("the pipeline failed unexpectedly");
  }
}

struct Job {
  SegmentationCase segmentation_case;
  StageObserver* observer = nullptr;
  PipelineExecutor::Done done;
  Preparation first;
  StopWatch waiting;
  double queued_seconds = 0;
};

}  // namespace

class PipelineExecutor::Way {
 public:
  explicit Way(const Options& options)
      : waiting_(static_cast<std::size_t>(options.queue_capacity)), prepared_(1) {
    for (int i = 0; i < options.prepare_threads; ++i) {
      prepare_threads_.emplace_back([this] { PrepareLoop(); });
    }
    for (int i = 0; i < options.concurrent_cases; ++i) {
      predict_threads_.emplace_back([this] { PredictLoop(); });
    }
  }

  ~Way() {
    waiting_.Close();
    for (auto& thread : prepare_threads_) thread.join();
    prepared_.Close();
    for (auto& thread : predict_threads_) thread.join();
  }

  // False, with nothing taken, when the queue is full.
  bool Submit(std::unique_ptr<Job> job) { return waiting_.TryPush(std::move(job)); }

  void DropStopped() {
    for (auto* queue : {&waiting_, &prepared_}) {
      for (const std::unique_ptr<Job>& job : queue->Remove([](const std::unique_ptr<Job>& waiting) {
             return !waiting->segmentation_case.token.Check().ok();
           })) {
        const absl::Status reason = job->segmentation_case.token.Check();
        job->segmentation_case = {};
        job->done(reason);
      }
    }
  }

  int depth() const { return static_cast<int>(waiting_.size() + prepared_.size()); }

 private:
  void PrepareLoop() {
    while (auto popped = waiting_.Pop()) {
      std::unique_ptr<Job> job = *std::move(popped);
      job->queued_seconds += job->waiting.Lap();
      absl::StatusOr<Preparation> first = Guarded([&]() -> absl::StatusOr<Preparation> {
        if (absl::Status status = job->segmentation_case.token.Check(); !status.ok()) return status;
        return Prepare(job->segmentation_case, *job->observer);
      });
      if (!first.ok()) {
        job->segmentation_case = {};
        job->done(std::move(first).status());
        continue;
      }
      job->first = *std::move(first);
      job->waiting.Lap();
      prepared_.Push(std::move(job));  // closed only after this thread has ended
    }
  }

  void PredictLoop() {
    while (auto popped = prepared_.Pop()) {
      std::unique_ptr<Job> job = *std::move(popped);
      job->queued_seconds += job->waiting.Lap();
      absl::StatusOr<SegmentationSummary> summary = Guarded(
          [&] { return Predict(job->segmentation_case, std::move(job->first), *job->observer); });
      if (summary.ok()) summary->stage_seconds[Stage::kQueued] = job->queued_seconds;
      job->segmentation_case = {};  // gives the model back before the caller hears of the end
      job->done(std::move(summary));
      ReturnFreeMemory();
    }
  }

  BoundedQueue<std::unique_ptr<Job>> waiting_;
  BoundedQueue<std::unique_ptr<Job>> prepared_;
  std::vector<std::thread> prepare_threads_;
  std::vector<std::thread> predict_threads_;
};

PipelineExecutor::PipelineExecutor(const Options& options) {
  for (auto& way : ways_) way = std::make_unique<Way>(options);
}

PipelineExecutor::~PipelineExecutor() = default;

absl::Status PipelineExecutor::Submit(SegmentationCase segmentation_case, StageObserver& observer,
                                      Done done) {
  const Priority priority = segmentation_case.options.priority;
  auto job = std::make_unique<Job>();
  job->segmentation_case = std::move(segmentation_case);
  job->observer = &observer;
  job->done = std::move(done);
  if (!way(priority).Submit(std::move(job))) {
    return absl::ResourceExhaustedError("the queue is full, try again later");
  }
  return absl::OkStatus();
}

void PipelineExecutor::DropStopped() {
  for (const auto& way : ways_) way->DropStopped();
}

int PipelineExecutor::queue_depth(Priority priority) const { return way(priority).depth(); }

}  // namespace nnseg
