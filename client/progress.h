#ifndef NNSEG_CLIENT_PROGRESS_H_
#define NNSEG_CLIENT_PROGRESS_H_

#include <cstdio>
#include <string>

#include "segmentation/v1/segmentation_service.pb.h"

namespace nnseg {

/// "network", for users.
std::string NameOf(::segmentation::v1::Stage stage);

/// "0:07", "12:34" or "1:02:03".
std::string FormatDuration(double seconds);

/// One line of at most `width` characters: stage, bar, tiles done, time left; what is not known is
/// left out. `width` 0: without a bar, of any length.
std::string FormatProgress(const ::segmentation::v1::Progress& progress, int width);

/// Shows a request's progress: on a terminal one line that is redrawn, otherwise a new line when
/// the stage changes and for every tenth of the tiles. One thread at a time.
class ProgressDisplay {
 public:
  /// Writes to `file` (not owned), which is treated as a terminal or not by isatty.
  explicit ProgressDisplay(std::FILE* file);
  /// Ends the redrawn line.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void Show(const ::segmentation::v1::Progress& progress);
  /// Removes the redrawn line, so that other text can be written; Show draws it again.
  void Clear();

 private:
  std::FILE* const file_;
  const bool terminal_;
  bool drawn_ = false;
  ::segmentation::v1::Stage last_stage_ = ::segmentation::v1::STAGE_UNSPECIFIED;
  int last_tenth_ = -1;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_PROGRESS_H_
