# bs_block_steps: block_steps.cpp, once per instruction set. The last -march of a target wins over
# the baseline of the tree. The scalar variant also holds the dispatch, so it needs x86-64-v2 only.
add_library(bs_block_steps STATIC)
foreach(variant IN ITEMS scalar avx2 avx512)
    add_library(bs_block_steps_${variant} OBJECT ${CMAKE_SOURCE_DIR}/src/kernels/block_steps.cpp)
    target_include_directories(bs_block_steps_${variant} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_sources(bs_block_steps PRIVATE $<TARGET_OBJECTS:bs_block_steps_${variant}>)
    # Kernels are optimised in every build: a debug scan is tested at the speed of a real one.
    target_compile_options(bs_block_steps_${variant} PRIVATE -O2)
endforeach()
target_compile_options(bs_block_steps_scalar PRIVATE -march=x86-64-v2)
target_compile_options(bs_block_steps_avx2 PRIVATE -march=x86-64-v3 -DBS_BLOCK_STEPS_AVX2)
target_compile_options(bs_block_steps_avx512 PRIVATE -march=x86-64-v4 -mavx512vbmi2 -DBS_BLOCK_STEPS_AVX512)
target_include_directories(bs_block_steps PUBLIC ${CMAKE_SOURCE_DIR}/src)
