#ifndef NNSEG_CORE_PIPELINE_PREPARED_CACHE_H_
#define NNSEG_CORE_PIPELINE_PREPARED_CACHE_H_

#include <memory>
#include <string>

#include "core/preprocess/preprocessor.h"

namespace nnseg {

/// Prepared forms of one image that is kept between cases, by PreprocessingKey. Thread-safe.
class PreparedCache {
 public:
  virtual ~PreparedCache() = default;

  /// Null when that form is not kept.
  virtual std::shared_ptr<const PreparedCase> Find(const std::string& key) = 0;
  /// Gives a form to keep; it is not kept where there is no room.
  virtual void Offer(const std::string& key, std::shared_ptr<const PreparedCase> prepared) = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_PIPELINE_PREPARED_CACHE_H_
