# Language level, warnings, hardening, sanitizers and compiler cache for every target of the project.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the checkout count as relative, so that clones and build trees share what they compiled. ccache asks for
  # the two kinds of sloppiness before it takes precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros
    "${CCACHE_PROGRAM}")
endif()

# Haswell and later: AVX2, FMA and F16C; wider instruction sets are chosen at run time where they pay.
set(NNSEG_ARCH "x86-64-v3" CACHE STRING "Instruction set of the build (-march)")
add_compile_options(-march=${NNSEG_ARCH})
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -fstack-protector-strong)
# Voxel arithmetic must equal nnU-Net's to the bit: a*b+c stays two roundings unless std::fma is written.
add_compile_options(-ffp-contract=off)
if(NNSEG_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-Wl,-z,relro,-z,now)

if(NNSEG_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(NNSEG_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NNSEG_SANITIZER)
  message(FATAL_ERROR "NNSEG_SANITIZER is '${NNSEG_SANITIZER}', expected '', 'address' or 'thread'")
endif()
