// What the C library keeps of freed memory goes back to the system beyond the limit, not below it.
#include "engine/heap_trimmer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

using namespace blueshift;
using namespace blueshift::engine;

namespace {

constexpr u64 kChunk = 96 << 10, kChunks = 2000; // 188 MiB

/// Leaves living chunks between freed ones: free memory that no heap's end can give back.
std::vector<std::unique_ptr<char[]>> fragmentHeap() {
    std::vector<std::unique_ptr<char[]>> chunks;
    for (u64 i = 0; i < kChunks; ++i) {
        chunks.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
        std::memset(chunks.back().get(), 1, kChunk);
    }
    for (u64 i = 0; i < kChunks; ++i)
        if (i % 16 != 0) chunks[i].reset();
    return chunks;
}

} // namespace

TEST_CASE("private resident memory is what was touched and lives") {
    const u64 before = privateResidentBytes();
    auto room = std::make_unique_for_overwrite<char[]>(64 << 20);
    std::memset(room.get(), 1, 64 << 20);
    const u64 now = privateResidentBytes();
    CHECK(room[now % (64 << 20)] == 1); // it must live until here
    CHECK(now >= before + (60 << 20));
    const HeapTrimmer ends_at_once(1);
}

// Sanitizers bring heaps of their own.
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
TEST_CASE("freed memory beyond the limit goes back to the system") {
    const u64 before = privateResidentBytes();
    REQUIRE(before > 0);
    const auto living = fragmentHeap();
    const u64 kept = privateResidentBytes();
    REQUIRE(kept > before + kChunk * kChunks / 2);
    {
        const HeapTrimmer idle(kept + (u64{1} << 30));
        std::this_thread::sleep_for(std::chrono::milliseconds(350));
    }
    CHECK(privateResidentBytes() > before + kChunk * kChunks / 2);

    const HeapTrimmer trimmer(kept / 2);
    u64 now = kept;
    for (int tries = 0; tries < 600 && now > before + kChunk * kChunks / 4; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        now = privateResidentBytes();
    }
    CHECK(now < before + kChunk * kChunks / 4);
    for (u64 i = 0; i < kChunks; i += 16) CHECK(living[i][kChunk - 1] == 1);
}
#endif
