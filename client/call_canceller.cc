#include "client/call_canceller.h"

namespace nnseg {

void CallCanceller::Cancel() {
  std::lock_guard lock(mu_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void CallCanceller::Attach(grpc::ClientContext* context) {
  std::lock_guard lock(mu_);
  context_ = context;
  if (cancelled_) context->TryCancel();
}

void CallCanceller::Detach() {
  std::lock_guard lock(mu_);
  context_ = nullptr;
}

}  // namespace nnseg
