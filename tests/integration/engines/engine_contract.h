#ifndef NNSEG_TESTS_INTEGRATION_ENGINES_ENGINE_CONTRACT_H_
#define NNSEG_TESTS_INTEGRATION_ENGINES_ENGINE_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>

#include "core/inference/network_loader.h"
#include "gtest/gtest.h"

namespace nnseg {

/// An engine under the tests that every engine must pass (engine_contract.cc).
struct EngineUnderTest {
  std::string name;  ///< as NetworkLoader::engine()
  std::string file;  ///< the example model's fold 0
  std::function<std::shared_ptr<NetworkLoader>()> make_loader;
  std::string precision = "fp32";
};

inline void PrintTo(const EngineUnderTest& engine, std::ostream* out) {
  *out << engine.name << " " << engine.precision;
}

class EngineContract : public testing::TestWithParam<EngineUnderTest> {
 protected:
  void SetUp() override;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_ENGINES_ENGINE_CONTRACT_H_
