#ifndef NNSEG_TESTS_SUPPORT_HEAP_METER_H_
#define NNSEG_TESTS_SUPPORT_HEAP_METER_H_

#include <cstdint>

namespace nnseg {

/// Bytes on the heap. A program that links this has the C library's allocation functions counted,
/// for all threads and libraries. Thread-safe. Not for builds under a sanitizer, which has
/// allocation functions of its own.
int64_t HeapBytes();

/// The most that HeapBytes() was since the last call of StartHeapPeak().
int64_t HeapPeak();
void StartHeapPeak();

}  // namespace nnseg

#endif  // NNSEG_TESTS_SUPPORT_HEAP_METER_H_
