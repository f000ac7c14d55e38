#include "core/pipeline/pipeline_executor.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

}  // namespace

struct PipelineExecutor::Job {
  SegmentationCase segmentation_case;
  StageObserver* observer = nullptr;
  Done done;
  Preparation first;
  Clock::time_point queued_since = Clock::now();
  double queued_seconds = 0;

  // Ends the time that the job waits.
  void Dequeue() { queued_seconds += SecondsSince(queued_since); }
};

PipelineExecutor::PipelineExecutor(const Options& options)
    : waiting_(static_cast<std::size_t>(options.queue_capacity)), prepared_(1) {
  for (int i = 0; i < options.prepare_threads; ++i) {
    prepare_threads_.emplace_back([this] { PrepareLoop(); });
  }
  for (int i = 0; i < options.concurrent_cases; ++i) {
    predict_threads_.emplace_back([this] { PredictLoop(); });
  }
}

PipelineExecutor::~PipelineExecutor() {
  waiting_.Close();
  for (auto& thread : prepare_threads_) thread.join();
  prepared_.Close();
  for (auto& thread : predict_threads_) thread.join();
}

absl::Status PipelineExecutor::Submit(SegmentationCase segmentation_case, StageObserver& observer,
                                      Done done) {
  auto job = std::make_unique<Job>();
  job->segmentation_case = std::move(segmentation_case);
  job->observer = &observer;
  job->done = std::move(done);
  if (!waiting_.TryPush(std::move(job))) {
    return absl::ResourceExhaustedError("the queue is full, try again later");
  }
  return absl::OkStatus();
}

void PipelineExecutor::DropStopped() {
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

int PipelineExecutor::queue_depth() const {
  return static_cast<int>(waiting_.size() + prepared_.size());
}

void PipelineExecutor::PrepareLoop() {
  while (auto popped = waiting_.Pop()) {
    std::unique_ptr<Job> job = *std::move(popped);
    job->Dequeue();
    absl::StatusOr<Preparation> first = Guarded([&]() -> absl::StatusOr<Preparation> {
      if (absl::Status status = job->segmentation_case.token.Check(); !status.ok()) return status;
      return Prepare(job->segmentation_case, *job->observer);
    });
    if (!first.ok()) {
      job->segmentation_case = {};
      job->done(first.status());
      continue;
    }
    job->first = *std::move(first);
    job->queued_since = Clock::now();
    prepared_.Push(std::move(job));  // closed only after this thread has ended
  }
}

void PipelineExecutor::PredictLoop() {
  while (auto popped = prepared_.Pop()) {
    std::unique_ptr<Job> job = *std::move(popped);
    job->Dequeue();
    absl::StatusOr<SegmentationSummary> summary = Guarded(
        [&] { return Predict(job->segmentation_case, std::move(job->first), *job->observer); });
    if (summary.ok()) summary->stage_seconds[Stage::kQueued] = job->queued_seconds;
    job->segmentation_case = {};  // gives the model back before the caller hears of the end
    job->done(std::move(summary));
  }
}

}  // namespace nnseg
