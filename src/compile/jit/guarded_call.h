// guarded_call.h: runs a call that may crash or hang, such as a compiler, and survives it.
//
// Place: private to jit/. A crash is caught as LLVM's CrashRecoveryContext does. What crashed
// leaves objects in LLVM's global lists, among them timers that lie on the stack of the call; hence
// each call has a thread with a stack of this class, and the stack of a crash is never used again.
// Threads: one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/ints.h"

namespace blueshift::compile {

class GuardedCall {
public:
    enum class End : u8 {
        kReturned,
        kCrashed,
        kHangs, // it did not end in time: its thread, and what `body` owns, are left alone
    };
    /// Before the first run: signals and LLVM's fatal errors are crashes of the call.
    static void enable();
    ~GuardedCall();

    /// `body` owns all that it touches. After kHangs nothing is run any more.
    End run(std::function<void()> body, std::chrono::seconds limit);

private:
    struct Call;

    void* stack_ = nullptr; // kept for the next call
    bool hangs_ = false;
};

} // namespace blueshift::compile
