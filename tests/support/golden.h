#ifndef NNSEG_TESTS_SUPPORT_GOLDEN_H_
#define NNSEG_TESTS_SUPPORT_GOLDEN_H_

#include <nlohmann/json.hpp>
#include <string>

#include "core/volume/half.h"
#include "core/volume/volume.h"

namespace nnseg {

/// `name` below tests/data (the folder in the environment variable NNSEG_TEST_DATA).
std::string TestDataPath(const std::string& name);

/// Reads a dense C-order array in numpy's .npy format (version 1, little-endian) with 3 axes (one
/// channel) or 4 (channels first). T must be the file's type: Half for float16, float, double,
/// uint8_t, uint16_t. Aborts with a text on anything else: goldens are part of the tests.
template <typename T>
Volume<T> ReadNpy(const std::string& path);

/// Reads a JSON file; aborts with a text when it cannot.
nlohmann::json ReadJson(const std::string& path);

/// Array order from a JSON list of 3.
template <typename Triple>
Triple TripleFrom(const nlohmann::json& list) {
  return {{list.at(0), list.at(1), list.at(2)}};
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_GOLDEN_H_
