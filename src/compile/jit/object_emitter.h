// object_emitter.h: a module of LLVM IR, as Clang makes it from generated text, into an object.
//
// Place: private to jit/, inside a guarded call. Why not Clang's own -O1 and -O2: generated text is
// straight loops over arrays; a few passes reach the same code in under half the time
// (docs/design/codegen.md, "Compile cost").
// Threads: one at a time.
#pragma once

#include <llvm/ADT/SmallVector.h>

#include <memory>
#include <string>

#include "compile/jit/jit.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace blueshift::compile {

class ObjectEmitter {
public:
    /// For this CPU and these features ("+avx2,-sse4a").
    ObjectEmitter(std::string cpu, std::string features);
    ~ObjectEmitter();

    /// False, with `messages`: there is no such target, the pipeline of passes is wrong, or LLVM
    /// cannot translate the module.
    bool emit(llvm::Module& module, OptimizationLevel level, llvm::SmallVector<char, 0>& object,
              std::string& messages);

private:
    llvm::TargetMachine* machineOf(OptimizationLevel level, std::string& messages);

    std::string cpu_;
    std::string features_;
    std::unique_ptr<llvm::TargetMachine> machines_[2]; // by level; made when needed
};

} // namespace blueshift::compile
