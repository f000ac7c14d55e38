// Times of the torch engine where volumes stay on the device, with a random network:
//
//   gpu_bench [--device cuda:0] [--precision fp16] [--patch 128] [--shape 300 250 250] [--heads 5]
//
// Prints one line for each figure. On the CPU (--device cpu --precision fp32) it only shows that
// the program works.
#include <c10/core/CachingDeviceAllocator.h>
#include <stdlib.h>  // NOLINT: mkdtemp

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/inference/torch/network_loader.h"
#include "core/inference/volume_predictor.h"
#include "core/restore/slab_restorer.h"
#include "tests/bench/plain_conv_unet.h"

namespace nnseg {
namespace {

// Labels are made at up to so many times the resolution of the network's grid.
constexpr double kFinest = 1.25;

struct Options {
  std::string device = "cuda:0";
  std::string precision = "fp16";
  int64_t patch = 128;
  std::vector<int64_t> shape{300, 250, 250};
  int64_t channels = 1;
  int64_t heads = 5;
  int repetitions = 10;
};

void Print(const std::string& what, const std::string& value) {
  std::cout << what << ": " << value << std::endl;
}

// Runs `work` once to warm up and then `repetitions` times; the median, in milliseconds.
absl::StatusOr<double> MedianMilliseconds(int repetitions,
                                          const std::function<absl::Status()>& work) {
  std::vector<double> times;
  for (int i = 0; i <= repetitions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    NNSEG_RETURN_IF_ERROR(work());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (i > 0) times.push_back(took.count());
  }
  std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
  return times[repetitions / 2];
}

std::vector<float> Noise(int64_t size) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = normal(generator);
  return values;
}

absl::StatusOr<SegmentationPlan> PlanOf(int64_t heads) {
  std::vector<LabelEntry> entries{{"background", {0}}};
  for (int label = 1; label < heads; ++label) {
    entries.push_back({absl::StrCat("label ", label), {label}});
  }
  SegmentationPlan plan;
  NNSEG_ASSIGN_OR_RETURN(plan.labels, LabelTable::Create(std::move(entries), std::nullopt));
  plan.logits_resampling = {.order = 1, .order_z = 0, .force_separate_z = false};
  return plan;
}

// Of the grid that labels are made on.
Shape3 Finer(const Shape3& shape, double factor) {
  Shape3 finer{};
  for (int axis = 0; axis < 3; ++axis) {
    finer[axis] = static_cast<int64_t>(static_cast<double>(shape[axis]) * factor);
  }
  return finer;
}

// From the prepared volume on the host to its labels on the host; labels on a grid that is finer by
// `factor` along each axis.
absl::Status SegmentVolume(PatchNetwork& network, const Volume<float>& image, double factor,
                           const SegmentationPlan& plan, TileScheduler& scheduler) {
  CaseProperties properties;
  properties.network_shape = image.shape();
  const Shape3 shape = Finer(image.shape(), factor);
  for (int axis = 0; axis < 3; ++axis) {
    properties.spacing[axis] = 1;
    properties.network_spacing[axis] = factor;
  }
  properties.shape_before_cropping = shape;
  properties.crop = Box3::Whole(shape);
  int64_t labelled = 0;
  const auto count = [&](const LabelBlock& block) {
    labelled += block.labels.size();
    return absl::OkStatus();
  };
  NNSEG_ASSIGN_OR_RETURN(const auto restorer,
                         SlabRestorer::Create(plan, properties, {.labels = count}));
  PredictionObserver observer;
  observer.on_slab = [&](LogitSlab slab) { return restorer->Add(std::move(slab)); };
  observer.on_labels = [&](LabelPlanes planes) { return restorer->AddLabels(std::move(planes)); };
  PredictionOptions options;
  options.labels = restorer->label_rule();
  NNSEG_RETURN_IF_ERROR(
      PredictVolume(image, {&network}, options, scheduler, CancellationToken(), observer));
  NNSEG_RETURN_IF_ERROR(restorer->Finish());
  return labelled == shape.voxels() ? absl::OkStatus() : absl::InternalError("labels are missing");
}

absl::Status TimePasses(PatchNetwork& network, const Options& options, TileScheduler& scheduler) {
  const std::vector<float> input = Noise(network.signature().input_size());
  for (const int64_t batch : {int64_t{1}, network.max_batch()}) {
    std::vector<std::vector<float>> outputs(batch);
    std::vector<PatchPass> passes;
    for (auto& output : outputs) {
      output.resize(static_cast<std::size_t>(network.signature().output_size()));
      passes.push_back({input, output});
    }
    NNSEG_ASSIGN_OR_RETURN(const double ms, MedianMilliseconds(options.repetitions, [&] {
                             return scheduler.RunOnDevice([&] { return network.RunBatch(passes); });
                           }));
    Print(absl::StrCat("patch brought by the host, batch of ", batch),
          absl::StrCat(ms / static_cast<double>(batch), " ms"));
    if (network.max_batch() == 1) break;
  }
  return absl::OkStatus();
}

absl::Status TimeVolume(PatchNetwork& network, const Options& options, TileScheduler& scheduler) {
  NNSEG_ASSIGN_OR_RETURN(const SegmentationPlan plan, PlanOf(options.heads));
  const Shape3 shape{{options.shape[0], options.shape[1], options.shape[2]}};
  auto image = Volume<float>::Uninitialized(options.channels, shape);
  const std::vector<float> noise = Noise(image.size());
  std::copy(noise.begin(), noise.end(), image.voxels().begin());
  NNSEG_ASSIGN_OR_RETURN(const int64_t passes, CountPasses(network.signature(), shape, {}, 1));
  for (const double factor : {1.0, kFinest}) {
    NNSEG_ASSIGN_OR_RETURN(const double ms, MedianMilliseconds(3, [&] {
                             return SegmentVolume(network, image, factor, plan, scheduler);
                           }));
    Print(absl::StrCat("volume of ", ToString(shape), ", ", passes, " passes, labels at ", factor,
                       " times its resolution"),
          absl::StrCat(ms, " ms, ", ms / static_cast<double>(passes), " ms for each pass"));
  }
  return absl::OkStatus();
}

// What admission would count, beside what was held.
void PrintMemory(PatchNetwork& network, const DeviceMemory& memory, const Options& options) {
  auto& allocator = *c10::getDeviceAllocator(c10::kCUDA);
  const auto stats = allocator.getDeviceStats(0);
  const auto mib = [](int64_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); };
  const Shape3 shape{{options.shape[0], options.shape[1], options.shape[2]}};
  const Shape3 labels = Finer(shape, kFinest);
  Print("device memory, counted for network and passes",
        mib(memory.budget() - memory.left_to_cases()));
  Print("device memory, predicted for the volume",
        mib(PredictionDeviceBytes({&network}, shape, shape, 1, labels)));
  Print("device memory, peak of tensors", mib(stats.allocated_bytes[0].peak));
  Print("device memory, peak held by torch", mib(stats.reserved_bytes[0].peak));
}

absl::Status Run(const Options& options, const std::string& file) {
  WritePlainConvUNet(file, options.channels, options.heads);
  TileScheduler scheduler;
  NNSEG_ASSIGN_OR_RETURN(
      const auto loader,
      MakeTorchLoader(options.device, {.windows_on_cpu = true, .note = [](const std::string& text) {
                                         Print("note", text);
                                       }}));
  const PatchSignature signature{.input_channels = options.channels,
                                 .output_channels = options.heads,
                                 .patch_size = {{options.patch, options.patch, options.patch}}};
  std::unique_ptr<PatchNetwork> network;
  NNSEG_RETURN_IF_ERROR(scheduler.RunOnDevice([&]() -> absl::Status {
    NNSEG_ASSIGN_OR_RETURN(network, loader->Load(file, signature, options.precision));
    return absl::OkStatus();
  }));
  Print("device", loader->device());
  Print("network", absl::StrCat("PlainConvUNet, patch ", options.patch, " cubed, ",
                                network->precision(), ", batches up to ", network->max_batch()));
  NNSEG_RETURN_IF_ERROR(TimePasses(*network, options, scheduler));
  NNSEG_RETURN_IF_ERROR(TimeVolume(*network, options, scheduler));
  if (loader->device() != "cpu") PrintMemory(*network, *loader->device_memory(), options);
  return absl::OkStatus();
}

}  // namespace
}  // namespace nnseg

int main(int argc, char** argv) {
  nnseg::Options options;
  CLI::App app("Times of the torch engine where volumes stay on the device");
  app.add_option("--device", options.device, "cuda:N or cpu");
  app.add_option("--precision", options.precision, "fp16, or fp32, which a CPU needs");
  app.add_option("--patch", options.patch, "edge of the patch, a multiple of 32");
  app.add_option("--shape", options.shape, "of the volume, on the network's grid")->expected(3);
  app.add_option("--channels", options.channels, "of the volume");
  app.add_option("--heads", options.heads, "labels, background included");
  app.add_option("--repetitions", options.repetitions, "of a single pass");
  CLI11_PARSE(app, argc, argv);
  if (options.device != "cpu" && !nnseg::TorchCudaAvailable()) {
    std::cout << "gpu_bench: skipped: no CUDA device\n";
    return 0;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "gpu_bench_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::cerr << "gpu_bench: cannot make a folder for the network\n";
    return 1;
  }
  const absl::Status status = nnseg::Run(options, folder + "/network.pt");
  std::filesystem::remove_all(folder);
  if (!status.ok()) std::cerr << "gpu_bench: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
