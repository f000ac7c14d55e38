// Time of what happens outside the network, on raw little-endian arrays in C order.
//
//   resampling_bench image  --file in.f32 --from 121 145 121 --to 181 217 181 --output out.f32
//   resampling_bench labels --file in.f16 --classes 25 --from 150 256 256 --to 300 512 512 ...
//
// `image` resamples one channel by splines of order 3. `labels` restores a label map (uint16) from
// logits, which arrive in slabs as the network finishes them, by nnU-Net's default of order 1. Says
// "ready" when the input is in memory; then each line of standard input, a number of runs, is
// answered by one line: the seconds of each run. The result is written when the input ends.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/parallel_for.h"
#include "core/base/status_macros.h"
#include "core/resample/resample.h"
#include "core/restore/slab_restorer.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kSlabPlanes = 16;

struct Arguments {
  std::string file;
  std::string output;
  std::vector<int64_t> from;
  std::vector<int64_t> to;
  int64_t classes = 1;
  int threads = 0;
};

nnseg::Shape3 ShapeOf(const std::vector<int64_t>& size) { return {{size[0], size[1], size[2]}}; }

template <typename T>
absl::StatusOr<nnseg::Volume<T>> Read(const std::string& file, int64_t channels,
                                      const nnseg::Shape3& shape) {
  auto volume = nnseg::Volume<T>::Uninitialized(channels, shape);
  const auto bytes = std::as_writable_bytes(volume.voxels());
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(reinterpret_cast<char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": expected ", bytes.size(), " bytes"));
  }
  return volume;
}

template <typename T>
void Write(const nnseg::Volume<T>& volume, const std::string& file) {
  const auto bytes = std::as_bytes(volume.voxels());
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// Answers the lines of standard input with the seconds of `work`.
absl::Status Serve(const std::function<absl::Status()>& work) {
  std::cout << "ready" << std::endl;
  for (int runs = 0; std::cin >> runs;) {
    for (int i = 0; i < runs; ++i) {
      const auto start = Clock::now();
      NNSEG_RETURN_IF_ERROR(work());
      std::cout << std::chrono::duration<double>(Clock::now() - start).count() << " ";
    }
    std::cout << std::endl;
  }
  return absl::OkStatus();
}

absl::Status ResampleImage(const Arguments& arguments) {
  NNSEG_ASSIGN_OR_RETURN(const auto image, Read<float>(arguments.file, 1, ShapeOf(arguments.from)));
  auto resampled = nnseg::Volume<float>::Filled(1, ShapeOf(arguments.to), 0);
  const auto work = [&] {
    nnseg::ResampleChannel<float>({}, ViewOf(image, 0), {}, {}, ViewOf(resampled, 0));
    return absl::OkStatus();
  };
  NNSEG_RETURN_IF_ERROR(Serve(work));
  Write(resampled, arguments.output);
  return absl::OkStatus();
}

nnseg::SegmentationPlan PlanOf(int64_t classes) {
  std::vector<nnseg::LabelEntry> entries{{"background", {0}}};
  for (int label = 1; label < classes; ++label) {
    entries.push_back({absl::StrCat(label), {label}});
  }
  nnseg::SegmentationPlan plan;
  plan.labels = nnseg::LabelTable::Create(std::move(entries), std::nullopt).value();
  plan.logits_resampling.order = 1;
  return plan;
}

nnseg::LogitSlab SlabOf(const nnseg::Volume<nnseg::Half>& logits, int64_t begin) {
  const nnseg::Shape3& all = logits.shape();
  const int64_t end = std::min(begin + kSlabPlanes, all[0]);
  nnseg::LogitSlab slab{.begin = {{begin, 0, 0}},
                        .logits = nnseg::Volume<nnseg::Half>::Uninitialized(
                            logits.channels(), {{end - begin, all[1], all[2]}})};
  for (int64_t c = 0; c < logits.channels(); ++c) {
    std::ranges::copy(logits.channel(c).subspan(static_cast<std::size_t>(begin * all[1] * all[2]),
                                                slab.logits.channel(c).size()),
                      slab.logits.channel(c).begin());
  }
  return slab;
}

absl::Status RestoreLabels(const Arguments& arguments) {
  const nnseg::Shape3 from = ShapeOf(arguments.from);
  const nnseg::Shape3 to = ShapeOf(arguments.to);
  NNSEG_ASSIGN_OR_RETURN(const auto logits,
                         Read<nnseg::Half>(arguments.file, arguments.classes, from));
  const nnseg::SegmentationPlan plan = PlanOf(arguments.classes);
  const nnseg::CaseProperties properties{.spacing = {1, 1, 1},
                                         .shape_before_cropping = to,
                                         .crop = nnseg::Box3::Whole(to),
                                         .network_spacing = {2, 2, 2},
                                         .network_shape = from};
  auto labels = nnseg::Volume<uint16_t>::Filled(1, to, 0);
  const auto work = [&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(
        const auto restorer,
        nnseg::SlabRestorer::Create(plan, properties, {.labels = [&](nnseg::LabelBlock block) {
                                      nnseg::PasteLabels(block, properties.crop, labels);
                                      return absl::OkStatus();
                                    }}));
    for (int64_t begin = 0; begin < from[0]; begin += kSlabPlanes) {
      NNSEG_RETURN_IF_ERROR(restorer->Add(SlabOf(logits, begin)));
    }
    return restorer->Finish();
  };
  NNSEG_RETURN_IF_ERROR(Serve(work));
  Write(labels, arguments.output);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Time of resampling and of restoring labels");
  Arguments arguments;
  app.require_subcommand(1);
  CLI::App* image = app.add_subcommand("image", "resample one channel");
  CLI::App* labels = app.add_subcommand("labels", "restore labels from logits");
  for (CLI::App* command : {image, labels}) {
    command->add_option("--file", arguments.file, "the input")->required();
    command->add_option("--output", arguments.output, "the result")->required();
    command->add_option("--from", arguments.from, "shape of the input")->required()->expected(3);
    command->add_option("--to", arguments.to, "shape of the result")->required()->expected(3);
    command->add_option("--classes", arguments.classes, "channels of the logits");
    command->add_option("--threads", arguments.threads, "0: the number of usable cores");
  }
  CLI11_PARSE(app, argc, argv);
  if (arguments.threads > 0) nnseg::SetHostThreads(arguments.threads);
  const absl::Status status = image->parsed() ? ResampleImage(arguments) : RestoreLabels(arguments);
  if (!status.ok()) std::cerr << "resampling_bench: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
