#include "tests/integration/torch_device/tensors.h"

namespace nnseg {

std::string NameOfDeviceUnderTest() { return "cuda:0"; }

}  // namespace nnseg
