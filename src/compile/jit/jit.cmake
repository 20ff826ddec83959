#The compiler inside bs_compile : Clang and LLVM as shared libraries, and the text of the kernels.
file(GLOB kernel_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/kernels/*.h)
set(kernel_text ${CMAKE_BINARY_DIR}/generated/compile/jit/kernel_headers.cpp)
add_custom_command(
    OUTPUT ${kernel_text}
    COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR}/src -DOUTPUT=${kernel_text}
            -P ${CMAKE_SOURCE_DIR}/src/compile/jit/kernel_headers.cmake
    DEPENDS ${kernel_headers} ${CMAKE_SOURCE_DIR}/src/compile/jit/kernel_headers.cmake)
target_sources(bs_compile PRIVATE ${kernel_text})
target_include_directories(bs_compile SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
target_link_directories(bs_compile PUBLIC ${LLVM_LIBRARY_DIRS})
target_link_libraries(bs_compile PRIVATE clang-cpp LLVM)
