# nnseg::torch: LibTorch out of the PyPI wheel `torch`, as unpacked into NNSEG_WHEELS_DIR.
#
# Not find_package(Torch): that enables the CUDA language, wants a GPU at configure time and brings a protobuf target that
# breaks the link beside gRPC. The wheel's libraries find each other by relative run paths, so its layout must be kept.

set(torch_root "${NNSEG_WHEELS_DIR}/torch")
set(torch_openmp "${torch_root}/lib/libgomp.so.1")  # whose threads torch computes on
set(torch_libraries "${torch_root}/lib/libtorch_cpu.so" "${torch_root}/lib/libc10.so" "${torch_openmp}")
set(torch_cuda_libraries "${torch_root}/lib/libtorch_cuda.so" "${torch_root}/lib/libc10_cuda.so")

set(torch_required ${torch_libraries} "${torch_root}/include/torch/csrc/api/include/torch/version.h")
if(NNSEG_WITH_CUDA)
  list(APPEND torch_required ${torch_cuda_libraries})
endif()
foreach(file IN LISTS torch_required)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "LibTorch is incomplete: ${file} does not exist. Fetch it with `make setup`, name another folder "
                        "with -DNNSEG_WHEELS_DIR=DIR, or leave the engine out with -DNNSEG_WITH_TORCH=OFF.")
  endif()
endforeach()

add_library(nnseg::torch INTERFACE IMPORTED GLOBAL)
set_target_properties(nnseg::torch PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${torch_root}/include;${torch_root}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES "${torch_libraries}")
if(NNSEG_WITH_CUDA)
  # Nothing calls the CUDA libraries by name: they register their kernels when they are loaded, so the linker must keep
  # them. Their own NVIDIA libraries are needed where the program runs, not where it is linked.
  list(JOIN torch_cuda_libraries "," torch_cuda_items)
  target_link_libraries(nnseg::torch INTERFACE
    "-Wl,--push-state,--no-as-needed,${torch_cuda_items},--pop-state"
    "-Wl,--allow-shlib-undefined")
endif()

# A wheel of the other std::string ABI compiles but does not link: say so here, not at the end of the build.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES nnseg::torch)
check_cxx_source_compiles(
  "#include <c10/core/Device.h>
   int main() { return c10::Device(std::string(\"cpu\")).is_cpu() ? 0 : 1; }" NNSEG_TORCH_LINKS)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT NNSEG_TORCH_LINKS)
  message(FATAL_ERROR "A program that uses LibTorch of ${torch_root} does not link; the log in CMakeFiles says why. "
                      "Fetch the pinned wheel with `make setup`.")
endif()
