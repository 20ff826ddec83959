# bs_storage_formats: C++ headers of the FlatBuffers schemas in formats/, made in the build tree. Only
# the .cpp files that read or write a format include them.
find_program(FLATC flatc REQUIRED)
set(formats_dir ${CMAKE_BINARY_DIR}/generated/storage/formats)
file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/storage/formats/*.fbs)
foreach(schema IN LISTS schemas)
    get_filename_component(name ${schema} NAME_WE)
    add_custom_command(OUTPUT ${formats_dir}/${name}_generated.h
                       COMMAND ${FLATC} --cpp --cpp-std c++17 -o ${formats_dir} ${schema}
                       DEPENDS ${schema} VERBATIM)
    list(APPEND format_headers ${formats_dir}/${name}_generated.h)
endforeach()
add_custom_target(bs_storage_formats DEPENDS ${format_headers})
