# blueshift_folder(NAME LIBRARIES...): one static library of all sources below src/NAME.
# Adding a source file needs no edit here; cmake finds it at the next configure.
function(blueshift_folder name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
    # block_steps.cpp is compiled once per instruction set: src/kernels/block_steps.cmake.
    list(FILTER sources EXCLUDE REGEX "/block_steps[a-z0-9_]*[.]cpp$")
    if(NOT sources)
        add_library(bs_${name} INTERFACE)
        target_include_directories(bs_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
        target_link_libraries(bs_${name} INTERFACE ${ARGN})
        return()
    endif()
    add_library(bs_${name} STATIC ${sources})
    target_include_directories(bs_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(bs_${name} PUBLIC ${ARGN})
endfunction()

# blueshift_unit(FOLDER LIBRARIES...): test/unit_FOLDER from test/unit/FOLDER/*.cpp, a ctest entry, and in
# the optimised tree an entry that runs the sanitized build of the same tests (scripts/test.sh).
function(blueshift_unit folder)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/unit/${folder}/*.cpp)
    if(NOT sources)
        return()
    endif()
    add_executable(unit_${folder} ${CMAKE_SOURCE_DIR}/test/unit/main.cpp ${sources})
    target_link_libraries(unit_${folder} PRIVATE ${ARGN})
    target_include_directories(unit_${folder} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/test)
    # Compilers behind ccache see sources by paths relative to the build tree: __FILE__ is one.
    add_test(NAME unit_${folder} COMMAND unit_${folder} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    if(SANITIZE)
        add_dependencies(sanitized_tests unit_${folder})
    else()
        add_test(NAME sanitized_unit_${folder}
                 COMMAND ${CMAKE_SOURCE_DIR}/build/debug/test/unit_${folder}
                 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/build/debug)
    endif()
endfunction()
