#ifndef NNSEG_CORE_PIPELINE_PIPELINE_EXECUTOR_H_
#define NNSEG_CORE_PIPELINE_PIPELINE_EXECUTOR_H_

#include <array>
#include <functional>
#include <memory>

#include "core/inference/priority.h"
#include "core/pipeline/pipeline.h"

namespace nnseg {

/// Runs cases through the pipeline's halves on threads of its own: while one case is on the device,
/// the next is prepared; bounded queues between hold the rest back. Each priority has a way of its
/// own, with its own threads and queues: a case waits for none of the other priority here, however
/// many there are. What both share is the device, where TileScheduler decides. Thread-safe.
class PipelineExecutor {
 public:
  /// Of each priority.
  struct Options {
    int queue_capacity = 16;  ///< cases that wait to be prepared
    int prepare_threads = 1;
    int concurrent_cases = 2;  ///< cases that share the device at the same time
  };
  using Done = std::function<void(absl::StatusOr<SegmentationSummary>)>;

  explicit PipelineExecutor(const Options& options);
  /// Waits for all submitted cases: cancel their tokens first to leave sooner.
  ~PipelineExecutor();

  /// Takes a case, on the way of its options' priority. `done` is called once, from an executor
  /// thread, after the last observer call. The observer must live until then. RESOURCE_EXHAUSTED
  /// when the queue is full: nothing was taken.
  absl::Status Submit(SegmentationCase segmentation_case, StageObserver& observer, Done done);

  /// Ends the waiting cases whose tokens have stopped, so that they give their places back at once
  /// rather than when their turn comes. Calls their `done` from this thread.
  void DropStopped();

  /// Cases of a priority that wait to be prepared or predicted.
  int queue_depth(Priority priority) const;

 private:
  class Way;
  Way& way(Priority priority) const { return *ways_[static_cast<std::size_t>(priority)]; }

  std::array<std::unique_ptr<Way>, 2> ways_;  // by priority
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_PIPELINE_EXECUTOR_H_
