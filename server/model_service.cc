#include "server/model_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "proto/wire/status_codec.h"
#include "server/event_log.h"

namespace nnseg {
namespace {

namespace pb = ::segmentation::v1;

constexpr std::size_t kQueuedWork = 16;

pb::ModelState ToProto(ModelState state) {
  switch (state) {
    case ModelState::kUnloaded:
      return pb::MODEL_STATE_UNLOADED;
    case ModelState::kLoading:
      return pb::MODEL_STATE_LOADING;
    case ModelState::kReady:
      return pb::MODEL_STATE_READY;
    case ModelState::kFailed:
      break;
  }
  return pb::MODEL_STATE_FAILED;
}

void Fill(const ModelStatus& status, pb::ModelSummary& summary) {
  summary.mutable_model()->set_name(status.name);
  summary.mutable_model()->set_version(status.version);
  summary.set_state(ToProto(status.state));
  if (!status.error.ok()) summary.set_error(std::string(status.error.message()));
}

/// The version that a spec means: the one named; for version 0 the newest ready one, or else the
/// newest.
absl::StatusOr<ModelStatus> Find(const ModelRepository& repository, const pb::ModelSpec& spec) {
  const ModelStatus* found = nullptr;
  const std::vector<ModelStatus> all = repository.List();  // ascending versions
  for (const ModelStatus& status : all) {
    if (status.name != spec.name()) continue;
    if (spec.version() != 0 && status.version != spec.version()) continue;
    if (found == nullptr || status.state == ModelState::kReady ||
        found->state != ModelState::kReady) {
      found = &status;
    }
  }
  if (found != nullptr) return *found;
  return absl::NotFoundError(
      absl::StrCat("got model \"", spec.name(), "\"",
                   spec.version() == 0 ? "" : absl::StrCat(" version ", spec.version()),
                   ", expected one that ListModels names"));
}

void Fill(const ModelReference& reference, pb::ModelSpec& spec) {
  spec.set_name(reference.name);
  spec.set_version(reference.version);
}

void Fill(const PrecisionRecord& record, pb::PrecisionReport& report) {
  report.set_engine(record.engine);
  report.set_precision(record.precision);
  report.set_dice(record.dice);
  report.set_dice_limit(record.dice_limit);
  report.set_equal_fraction(record.equal_fraction);
  report.set_equal_fraction_limit(record.equal_fraction_limit);
  report.set_volumes(record.volumes);
  report.set_relative_time(record.relative_time);
  report.set_recipe(record.recipe);
}

bool Offers(const NetworkSet& set, const std::string& engine, const std::string& precision) {
  return std::any_of(set.offered.begin(), set.offered.end(), [&](const EngineNetworks& networks) {
    return networks.engine.loader->engine() == engine && networks.precision == precision;
  });
}

void Fill(const LoadedModel& model, pb::GetModelResponse& response) {
  const BundleManifest& manifest = model.bundle().manifest;
  const SegmentationPlan& plan = model.bundle().plan;
  response.set_digest(model.bundle().digest);
  response.set_configuration(manifest.configuration);
  response.set_trainer(manifest.trainer);
  response.set_plans_name(manifest.plans_name);
  response.set_dataset_name(manifest.dataset_name);
  response.set_intended_use(manifest.intended_use);
  for (const ChannelPlan& channel : plan.channels) response.add_channel_names(channel.name);
  for (const LabelEntry& entry : plan.labels.entries()) {
    pb::Label& label = *response.add_labels();
    label.set_name(entry.name);
    label.mutable_values()->Add(entry.values.begin(), entry.values.end());
  }
  response.mutable_folds()->Add(manifest.folds.begin(), manifest.folds.end());
  response.mutable_mirroring_axes()->Add(manifest.mirroring_axes.begin(),
                                         manifest.mirroring_axes.end());
  if (!manifest.is_ensemble()) {
    const int first_axis = 3 - plan.patch_dimensions;
    response.mutable_patch_size()->Add(plan.patch_size.begin() + first_axis, plan.patch_size.end());
    response.mutable_spacing_mm()->Add(plan.spacing.begin() + first_axis, plan.spacing.end());
    response.set_previous_stage(plan.previous_stage);
  }
  if (manifest.previous_stage.has_value()) {
    Fill(*manifest.previous_stage, *response.mutable_previous_stage_model());
  }
  for (const ModelReference& member : manifest.members) Fill(member, *response.add_members());
  response.set_has_regions(plan.labels.has_regions());
  response.set_has_postprocessing(!model.bundle().postprocessing.empty());
  for (const EngineNetworks& networks : model.networks().offered) {
    if (networks.precision == "fp32") response.add_engines(networks.engine.loader->engine());
  }
  for (const PrecisionRecord& record : manifest.precisions) {
    pb::PrecisionReport& report = *response.add_precisions();
    Fill(record, report);
    report.set_offered(Offers(model.networks(), record.engine, record.precision));
  }
  response.set_image_reader_writer(plan.image_reader_writer);
}

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext& context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

ModelServiceImpl::ModelServiceImpl(ModelRepository& repository, bool allow_model_control,
                                   std::function<void()> on_change)
    : repository_(repository),
      allow_model_control_(allow_model_control),
      on_change_(std::move(on_change)),
      work_(kQueuedWork),
      thread_([this] {
        while (const auto work = work_.Pop()) (*work)();
      }) {}

ModelServiceImpl::~ModelServiceImpl() {
  work_.Close();
  thread_.join();
}

grpc::ServerUnaryReactor* ModelServiceImpl::ListModels(grpc::CallbackServerContext* context,
                                                       const pb::ListModelsRequest*,
                                                       pb::ListModelsResponse* response) {
  for (const ModelStatus& status : repository_.List()) Fill(status, *response->add_models());
  return Answer(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ModelServiceImpl::GetModel(grpc::CallbackServerContext* context,
                                                     const pb::GetModelRequest* request,
                                                     pb::GetModelResponse* response) {
  const absl::StatusOr<ModelStatus> status = Find(repository_, request->model());
  if (!status.ok()) return Answer(*context, status.status());
  Fill(*status, *response->mutable_summary());
  if (status->model != nullptr) Fill(*status->model, *response);
  return Answer(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ModelServiceImpl::LoadModel(grpc::CallbackServerContext* context,
                                                      const pb::LoadModelRequest* request,
                                                      pb::LoadModelResponse* response) {
  return Control(*context, [this, request, response]() -> absl::Status {
    const pb::ModelSpec& spec = request->model();
    NNSEG_RETURN_IF_ERROR(repository_.Load(spec.name(), spec.version()));
    NNSEG_ASSIGN_OR_RETURN(const ModelStatus status, Find(repository_, spec));
    Fill(status, *response->mutable_summary());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelServiceImpl::UnloadModel(grpc::CallbackServerContext* context,
                                                        const pb::UnloadModelRequest* request,
                                                        pb::UnloadModelResponse*) {
  return Control(*context, [this, request] {
    return repository_.Unload(request->model().name(), request->model().version());
  });
}

grpc::ServerUnaryReactor* ModelServiceImpl::Control(grpc::CallbackServerContext& context,
                                                    std::function<absl::Status()> work) {
  if (!allow_model_control_) {
    return Answer(context,
                  absl::PermissionDeniedError(
                      "model control is off: the server's allow_model_control permits it"));
  }
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  auto run = [this, reactor, work = std::move(work)] {
    const absl::Status status = work();
    on_change_();
    LogEvent(status.ok() ? LogLevel::kInfo : LogLevel::kWarning, "model_control",
             {{"code", NameOf(status.code())}});
    reactor->Finish(ToGrpcStatus(status));
  };
  if (!work_.TryPush(std::move(run))) {
    reactor->Finish(ToGrpcStatus(
        absl::ResourceExhaustedError("too many loads and unloads wait: try again later")));
  }
  return reactor;
}

const char* NameOf(ModelState state) {
  switch (state) {
    case ModelState::kUnloaded:
      return "unloaded";
    case ModelState::kLoading:
      return "loading";
    case ModelState::kReady:
      return "ready";
    case ModelState::kFailed:
      break;
  }
  return "failed";
}

}  // namespace nnseg
