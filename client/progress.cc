#include "client/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

constexpr int kDefaultWidth = 80;
constexpr int kMinBarWidth = 5;
constexpr int kMaxBarWidth = 40;

int TerminalWidth(std::FILE* file) {
  winsize size{};
  if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

double FractionDone(const pb::Progress& progress) {
  if (progress.tiles_total() <= 0) return 0;
  const double fraction =
      static_cast<double>(progress.tiles_done()) / static_cast<double>(progress.tiles_total());
  return std::clamp(fraction, 0.0, 1.0);
}

/// "[=====>    ] "; empty when there is no room.
std::string Bar(double fraction, int room) {
  const int width = std::min(room - 3, kMaxBarWidth);
  if (width < kMinBarWidth) return "";
  const int filled = static_cast<int>(std::floor(fraction * width));
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < width) bar.push_back('>');
  bar.resize(static_cast<std::size_t>(width), ' ');
  return absl::StrCat("[", bar, "] ");
}

}  // namespace

std::string NameOf(pb::Stage stage) {
  switch (stage) {
    case pb::STAGE_RECEIVE:
      return "upload";
    case pb::STAGE_QUEUED:
      return "queued";
    case pb::STAGE_PREPROCESS:
      return "preprocess";
    case pb::STAGE_INFER:
      return "network";
    case pb::STAGE_RESTORE:
      return "restore";
    case pb::STAGE_SEND:
      return "download";
    case pb::STAGE_POSTPROCESS:
      return "post-proc.";
    default:
      return "working";
  }
}

std::string FormatDuration(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (total < 3600) return absl::StrFormat("%d:%02d", total / 60, total % 60);
  return absl::StrFormat("%d:%02d:%02d", total / 3600, total / 60 % 60, total % 60);
}

std::string FormatProgress(const pb::Progress& progress, int width) {
  const std::string head = absl::StrFormat("%-10s ", NameOf(progress.stage()));
  std::string tail;
  if (progress.tiles_total() > 0) {
    tail = absl::StrFormat("%3.0f %%  %d/%d tiles", std::floor(100 * FractionDone(progress)),
                           progress.tiles_done(), progress.tiles_total());
  }
  if (progress.has_time_left()) {
    const double seconds =
        static_cast<double>(progress.time_left().seconds()) + 1e-9 * progress.time_left().nanos();
    absl::StrAppend(&tail, tail.empty() ? "" : "  ", FormatDuration(seconds), " left");
  }
  if (width == 0) {
    return std::string(absl::StripTrailingAsciiWhitespace(absl::StrCat(head, tail)));
  }
  const int room = width - static_cast<int>(head.size() + tail.size());
  const std::string bar = progress.tiles_total() > 0 ? Bar(FractionDone(progress), room) : "";
  return absl::StrCat(head, bar, tail).substr(0, static_cast<std::size_t>(width));
}

ProgressDisplay::ProgressDisplay(std::FILE* file)
    : file_(file), terminal_(isatty(fileno(file)) != 0) {}

ProgressDisplay::~ProgressDisplay() { Clear(); }

void ProgressDisplay::Show(const pb::Progress& progress) {
  if (terminal_) {
    // Carriage return, text, erase to the end of the line.
    const std::string line = FormatProgress(progress, TerminalWidth(file_) - 1);
    std::fprintf(file_, "\r%s\x1b[K", line.c_str());
    drawn_ = true;
  } else {
    const int tenth = static_cast<int>(10 * FractionDone(progress));
    if (progress.stage() == last_stage_ && tenth == last_tenth_) return;
    last_stage_ = progress.stage();
    last_tenth_ = tenth;
    std::fprintf(file_, "%s\n", FormatProgress(progress, 0).c_str());
  }
  std::fflush(file_);
}

void ProgressDisplay::Clear() {
  if (!drawn_) return;
  std::fprintf(file_, "\r\x1b[K");
  std::fflush(file_);
  drawn_ = false;
}

}  // namespace nnseg
