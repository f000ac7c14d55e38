#include "core/base/free_memory.h"

#include <malloc.h>

namespace nnseg {

void ReturnFreeMemory() { malloc_trim(0); }

}  // namespace nnseg
