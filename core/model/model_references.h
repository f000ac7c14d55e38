#ifndef NNSEG_CORE_MODEL_MODEL_REFERENCES_H_
#define NNSEG_CORE_MODEL_MODEL_REFERENCES_H_

#include "absl/status/status.h"
#include "core/model/loaded_model.h"

namespace nnseg {

/// Whether the models that `bundle` refers to can serve it: all that its manifest names are there,
/// an ensemble's members are models of the same labels, image channels and reader, and so is a
/// cascade's previous stage, which must be the configuration that the plan names and no cascade.
/// INVALID_ARGUMENT names the model and what differs.
absl::Status CheckReferences(const ModelBundle& bundle, const LoadedModel::References& references);

}  // namespace nnseg

#endif  // NNSEG_CORE_MODEL_MODEL_REFERENCES_H_
