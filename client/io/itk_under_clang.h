// Lets clang read ITK, for clang-tidy alone (client/io/.clang-tidy includes it before each source;
// no source does). Debian's ITK was configured for GCC, and its compiler detection takes no other;
// for the length of that one header, clang says that it is GCC.

#ifndef NNSEG_CLIENT_IO_ITK_UNDER_CLANG_H_
#define NNSEG_CLIENT_IO_ITK_UNDER_CLANG_H_

#pragma push_macro("__clang__")
#pragma push_macro("__GNUC__")
#undef __clang__
#undef __GNUC__
#define __GNUC__ 12  // NOLINT(bugprone-reserved-identifier): the compiler's own, put back below
#include <itk_compiler_detection.h>
#pragma pop_macro("__GNUC__")
#pragma pop_macro("__clang__")

#endif  // NNSEG_CLIENT_IO_ITK_UNDER_CLANG_H_
