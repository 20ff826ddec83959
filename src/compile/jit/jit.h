// jit.h: front door: C++ text to an object, an object to callable code, in this process.
//
// Place: used by the engine's code service on its own thread; the only folder with Clang and LLVM.
// Text sees the kernel headers and nothing else of the system; objects may call the given symbols
// and nothing else. Pages of code are written, then made executable, never both.
// Errors: a text that Clang refuses or crashes on gives an Error; the process goes on.
// Threads: compileObject and load from one thread at a time; loaded code from any.
// Cost (bench/unit_costs/jit_bench.cpp): tens of milliseconds a text, under 1 ms to load.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ints.h"
#include "kernels/pipeline.h"

namespace blueshift::compile {

struct JitSymbol {
    const char* name;
    const void* address;
};

enum class OptimizationLevel : u8 { kO1, kO2 };

/// A function of loaded code, for profilers.
struct CodeSymbol {
    std::string name;
    u64 address = 0;
    u64 bytes = 0;
};

/// Code that stays mapped while somebody holds it.
class MachineCode {
public:
    using Function = bool (*)(kernels::Frame*);
    virtual ~MachineCode() = default;

    Function function = nullptr;
    u32 local_bytes = 0; // of Frame::local
    std::vector<CodeSymbol> symbols;
};

class Jit {
public:
    explicit Jit(std::span<const JitSymbol> symbols);
    ~Jit();
    Jit(const Jit&) = delete;

    /// Names the CPU and the kernel headers: part of the key of every object.
    const std::string& target() const;
    Result<std::string> compileObject(const std::string& text, OptimizationLevel level);
    Result<std::shared_ptr<const MachineCode>> load(const std::string& object,
                                                    const std::string& function);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace blueshift::compile
