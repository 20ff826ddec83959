// The compiler inside: objects that run, errors that leave it usable, pages that are never both
// writable and executable, and nothing reachable beyond the allowed symbols.
#include "compile/jit/jit.h"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

#include "compile/jit/guarded_call.h"

// GDB's interface for code made at run time; defined by LLVM.
struct DebugEntry {
    DebugEntry* next;
    DebugEntry* previous;
    const char* object;
    blueshift::u64 bytes;
};
struct DebugDescriptor {
    blueshift::u32 version;
    blueshift::u32 action;
    void* relevant;
    void* first;
};
extern "C" DebugDescriptor __jit_debug_descriptor;

namespace blueshift::compile {
namespace {

const char* const kText = R"(#include "kernels/pipeline.h"
using namespace blueshift::kernels;
struct Local { u16 rows[kBatchRows]; };
extern "C" const u32 probe_local_bytes = sizeof(Local);
extern "C" bool probe(Frame* f) {
    f->selected = add<i32>(i32(f->selected), i32(f->parameters[0]));
    return f->selected > 41;
}
)";

bool runs(Jit& jit, const std::string& object) {
    const auto code = jit.load(object, "probe");
    REQUIRE(code.has_value());
    CHECK((*code)->local_bytes == 2048);
    const i128 parameter = 2;
    kernels::Frame frame{};
    frame.parameters = &parameter;
    frame.selected = 40;
    return (*code)->function(&frame) && frame.selected == 42;
}

u32 writableExecutablePages() {
    std::ifstream maps("/proc/self/maps");
    u32 found = 0;
    for (std::string line; std::getline(maps, line);)
        found += line.find(" rwxp ") != std::string::npos;
    return found;
}

} // namespace

TEST_CASE("both levels give code that runs") {
    Jit jit({});
    for (const auto level : {OptimizationLevel::kO1, OptimizationLevel::kO2}) {
        const auto object = jit.compileObject(kText, level);
        REQUIRE_MESSAGE(object.has_value(), (object ? "" : object.error().detail));
        CHECK(runs(jit, *object));
        CHECK(runs(jit, *object)); // and a second time, as from a cache
        CHECK(writableExecutablePages() == 0);
    }
}

TEST_CASE("profilers and debuggers learn the names of generated functions") {
    Jit jit({});
    const auto object = jit.compileObject(kText, OptimizationLevel::kO1);
    REQUIRE(object.has_value());
    const auto code = jit.load(*object, "probe");
    REQUIRE(code.has_value());
    REQUIRE((*code)->symbols.size() == 1);
    const CodeSymbol& symbol = (*code)->symbols[0];
    CHECK(symbol.name == "probe");
    CHECK(symbol.address == u64(reinterpret_cast<uintptr_t>((*code)->function)));
    CHECK(symbol.bytes > 0);
    const auto* entry = static_cast<const DebugEntry*>(__jit_debug_descriptor.first);
    REQUIRE(entry != nullptr);
    const std::string registered(entry->object, entry->bytes);
    CHECK(registered.find("probe") != std::string::npos);
}

TEST_CASE("a refused text and a crash of the compiler are errors, and the next text works") {
    Jit jit({});
    const auto refused = jit.compileObject("int f( { return }", OptimizationLevel::kO1);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().message == "the C++ compiler refused generated code");
    CHECK(refused.error().detail.find("error:") != std::string::npos);
    // An error of LLVM itself, which ends a process that has no handler for it.
    const auto unknown =
        jit.compileObject(std::string(kText) + "void g() { asm volatile(\"no instruction\"); }\n",
                          OptimizationLevel::kO1);
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().detail.find("no instruction") != std::string::npos);
    for (const char* kind : {"crash", "llvm_fatal_error"}) {
        const auto crashed = jit.compileObject(
            std::string(kText) + "#pragma clang __debug " + kind + "\n", OptimizationLevel::kO1);
        REQUIRE(!crashed.has_value());
        CHECK(crashed.error().message == "the C++ compiler crashed on generated code");
    }
    const auto object = jit.compileObject(kText, OptimizationLevel::kO1);
    REQUIRE(object.has_value());
    CHECK(runs(jit, *object));
}

// LLVM's list of timers kept one on the stack of the crash; the stacks of later threads lay there.
TEST_CASE("crashes of threads that have ended do not disturb later compilations") {
    const std::string crash = std::string(kText) + "#pragma clang __debug crash\n";
    for (u32 round = 0; round < 4; ++round)
        std::thread([&] {
            Jit jit({});
            CHECK(!jit.compileObject(crash, OptimizationLevel::kO1).has_value());
            const auto object = jit.compileObject(kText, OptimizationLevel::kO1);
            REQUIRE(object.has_value());
            CHECK(runs(jit, *object));
        }).join();
}

TEST_CASE("a call that does not end is given up, and so are later ones") {
    std::atomic<bool> release{false};
    auto ended = std::make_shared<std::atomic<bool>>(false);
    GuardedCall guard;
    CHECK(guard.run([] {}, std::chrono::seconds(60)) == GuardedCall::End::kReturned);
    const auto hang = [&release, ended] {
        while (!release) std::this_thread::yield();
        *ended = true;
    };
    CHECK(guard.run(hang, std::chrono::seconds(0)) == GuardedCall::End::kHangs);
    CHECK(guard.run([] {}, std::chrono::seconds(60)) == GuardedCall::End::kHangs);
    release = true;
    while (!*ended) std::this_thread::yield();
}

TEST_CASE("code reaches the given symbols and nothing else of the process") {
    const std::string text = std::string(kText) +
                             "extern \"C\" int getpid();\n"
                             "extern \"C\" bool reach(Frame*) { return getpid() != 0; }\n"
                             "extern \"C\" const u32 reach_local_bytes = 0;\n";
    Jit jit({});
    const auto object = jit.compileObject(text, OptimizationLevel::kO1);
    REQUIRE(object.has_value());
    CHECK(!jit.load(*object, "reach").has_value());
    const auto file = jit.compileObject("#include \"/etc/passwd\"\n", OptimizationLevel::kO1);
    CHECK(!file.has_value());
}

} // namespace blueshift::compile
