#include "compile/jit/guarded_call.h"

#include <llvm/Support/CrashRecoveryContext.h>
#include <llvm/Support/ErrorHandling.h>
#include <pthread.h>
#include <sys/mman.h>

#include <condition_variable>
#include <mutex>

namespace blueshift::compile {

namespace {

/// What Clang asks of a thread's stack, and twice that under sanitizers.
constexpr size_t kStackBytes = 16 << 20;
constexpr size_t kGuardBytes = 4096;

void* makeStack() {
    void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return nullptr;
    mprotect(stack, kGuardBytes, PROT_NONE);
    return stack;
}

} // namespace

struct GuardedCall::Call {
    std::function<void()> body;
    std::mutex mutex;
    std::condition_variable changed;
    bool crashed = false;
    bool ended = false;

    static void* start(void* argument) {
        const std::unique_ptr<std::shared_ptr<Call>> held(
            static_cast<std::shared_ptr<Call>*>(argument));
        Call& call = **held;
        llvm::CrashRecoveryContext guard;
        const bool returned = guard.RunSafely([&] { call.body(); });
        const std::lock_guard lock(call.mutex);
        call.crashed = !returned;
        call.ended = true;
        call.changed.notify_all();
        return nullptr;
    }
};

void GuardedCall::enable() {
    llvm::CrashRecoveryContext::Enable();
    static std::once_flag once;
    std::call_once(once, [] {
        // LLVM would end the process.
        llvm::install_fatal_error_handler([](void*, const char*, bool) {
            constexpr int kExitCode = 70;
            if (auto* guard = llvm::CrashRecoveryContext::GetCurrent())
                guard->HandleExit(kExitCode);
        });
    });
}

GuardedCall::~GuardedCall() {
    if (stack_ != nullptr) munmap(stack_, kStackBytes);
}

GuardedCall::End GuardedCall::run(std::function<void()> body, std::chrono::seconds limit) {
    if (hangs_) return End::kHangs;
    if (stack_ == nullptr) stack_ = makeStack();
    if (stack_ == nullptr) return End::kCrashed;
    auto call = std::make_shared<Call>();
    call->body = std::move(body);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack_, kStackBytes);
    auto argument = std::make_unique<std::shared_ptr<Call>>(call);
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes, Call::start, argument.get());
    pthread_attr_destroy(&attributes);
    if (error != 0) return End::kCrashed;
    argument.release();
    {
        std::unique_lock lock(call->mutex);
        hangs_ = !call->changed.wait_for(lock, limit, [&] { return call->ended; });
    }
    if (hangs_) {
        pthread_detach(thread);
        stack_ = nullptr;
        return End::kHangs;
    }
    pthread_join(thread, nullptr);
    if (!call->crashed) return End::kReturned;
    stack_ = nullptr;
    return End::kCrashed;
}

} // namespace blueshift::compile
