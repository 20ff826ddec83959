// clang_runner.h: runs Clang over one text in memory: headers once into a precompiled header, then
// texts into objects.
//
// Place: private to jit/. Why a precompiled header: parsing the kernels costs more than most texts.
// Threads: one at a time. A crash of Clang is an error; so is a run that does not end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "compile/jit/guarded_call.h"
#include "compile/jit/jit.h"
#include "compile/jit/object_emitter.h"

namespace blueshift::compile {

class ClangRunner {
public:
    ClangRunner();
    const std::string& cpu() const { return cpu_; }
    Result<std::string> compile(const std::string& text, OptimizationLevel level);

private:
    std::vector<std::string> arguments() const;
    struct Prepared;
    struct Run;
    Status guarded(const std::shared_ptr<Run>& run, std::function<void()> body);
    Status prepare();

    std::string cpu_;
    std::vector<std::string> features_;
    std::shared_ptr<Prepared> prepared_;     // when first needed
    std::shared_ptr<ObjectEmitter> emitter_; // shared with a run that never ends
    GuardedCall guard_;
};

} // namespace blueshift::compile
