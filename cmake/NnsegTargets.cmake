# Functions by which every library and every test of the project is declared in the same way.

# Most of the time of an unoptimised build goes into parsing the same headers. With NNSEG_PRECOMPILE_HEADERS they are
# parsed twice: for the libraries by the lowest one, and with GoogleTest for the tests by what they share.
set(NNSEG_COMMON_HEADERS
  <algorithm> <filesystem> <functional> <future> <map> <memory> <mutex> <span> <string> <vector>
  <absl/status/statusor.h> <absl/strings/str_cat.h>)

function(nnseg_precompile_headers target owner)
  if(NOT NNSEG_PRECOMPILE_HEADERS)
    return()
  endif()
  # Flags that only some targets would have, without which the compiler takes the headers for another program's.
  target_compile_options(${target} PRIVATE -fPIC -pthread)
  if(target STREQUAL "nnseg_base")
    target_precompile_headers(${target} PRIVATE ${NNSEG_COMMON_HEADERS})
  elseif(target STREQUAL "nnseg_test_support")
    target_precompile_headers(${target} PRIVATE ${NNSEG_COMMON_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# nnseg_add_library(<name> SOURCES <file>... [DEPS <target>...] [PRIVATE_DEPS <target>...])
#
# A static library nnseg_<name>, linked as nnseg::<name>. Includes are written from the project's root. A library with
# headers only gives no SOURCES and becomes an interface library.
function(nnseg_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target nnseg_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
    nnseg_precompile_headers(${target} nnseg_base)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} INTERFACE ${ARG_DEPS})
  endif()
  add_library(nnseg::${name} ALIAS ${target})
endfunction()

# nnseg_add_test(<name> LABEL unit|integration|parity|gpu|slow SOURCES <file>... [DEPS <target>...] [TIMEOUT <seconds>])
#
# One GoogleTest executable, registered with CTest as one test under its layer's label. The tests read their data from
# the folders named by the environment variables NNSEG_TEST_DATA (tests/data) and NNSEG_EXAMPLES (examples).
function(nnseg_add_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  find_package(GTest REQUIRED)
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  # What a test itself does takes milliseconds; to optimise it would take half of the time of all compilation.
  target_compile_options(${target} PRIVATE -O0)
  nnseg_precompile_headers(${target} nnseg_test_support)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  add_test(NAME ${ARG_LABEL}.${name} COMMAND ${target})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${ARG_LABEL}.${name} PROPERTIES
    LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "NNSEG_TEST_DATA=${PROJECT_SOURCE_DIR}/tests/data;NNSEG_EXAMPLES=${PROJECT_SOURCE_DIR}/examples;NNSEG_BIN=${PROJECT_BINARY_DIR}/bin")
endfunction()
