#include "tests/integration/torch_device/tensors.h"

namespace nnseg {

std::string NameOfDeviceUnderTest() { return "cpu"; }

}  // namespace nnseg
