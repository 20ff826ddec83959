// kernel_headers.h: the text of src/kernels/*.h, held in the binary for the compiler inside it.
//
// The definition is generated at build time (src/compile/jit/kernel_headers.cmake).
#pragma once

#include <span>
#include <string_view>

namespace blueshift::compile {

struct KernelHeader {
    std::string_view name; // as included: "kernels/scalar.h"
    std::string_view text;
};
std::span<const KernelHeader> kernelHeaders();

} // namespace blueshift::compile
