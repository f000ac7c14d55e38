# Two functions, so that every library and every test of the project is declared in the same way.

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
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  add_test(NAME ${ARG_LABEL}.${name} COMMAND ${target})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${ARG_LABEL}.${name} PROPERTIES
    LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "NNSEG_TEST_DATA=${PROJECT_SOURCE_DIR}/tests/data;NNSEG_EXAMPLES=${PROJECT_SOURCE_DIR}/examples;NNSEG_BIN=${PROJECT_BINARY_DIR}/bin")
endfunction()
