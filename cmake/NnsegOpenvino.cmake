# nnseg::openvino: the OpenVINO C++ runtime out of the PyPI wheel `openvino`, as unpacked into NNSEG_WHEELS_DIR.
#
# An own target, like nnseg::torch: the wheel's package file also looks for the wheel's TBB, of which nothing is used here.

set(openvino_root "${NNSEG_WHEELS_DIR}/openvino")
file(GLOB openvino_library "${openvino_root}/libs/libopenvino.so.*")
list(LENGTH openvino_library openvino_count)
if(NOT openvino_count EQUAL 1 OR NOT EXISTS "${openvino_root}/include/openvino/openvino.hpp")
  message(FATAL_ERROR "OpenVINO is not in ${openvino_root}. Fetch it with `make setup`, name another folder with "
                      "-DNNSEG_WHEELS_DIR=DIR, or leave the engine out with -DNNSEG_WITH_OPENVINO=OFF.")
endif()

add_library(nnseg::openvino INTERFACE IMPORTED GLOBAL)
set_target_properties(nnseg::openvino PROPERTIES
  INTERFACE_COMPILE_DEFINITIONS "OV_THREAD=OV_THREAD_TBB_ADAPTIVE"
  INTERFACE_INCLUDE_DIRECTORIES "${openvino_root}/include"
  INTERFACE_LINK_LIBRARIES "${openvino_library}")
