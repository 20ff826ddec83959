#include "parse/keywords.h"

#include <array>

namespace blueshift::parse {

namespace {

struct Entry {
    std::string_view word;
    bool reserved;
};

constexpr Entry kEntries[] = {
    {"", false},
#define BS_KEYWORD(word, name, reserved) {#word, reserved},
#include "parse/keyword_list.h"
#undef BS_KEYWORD
};
constexpr size_t kEntryCount = std::size(kEntries);

constexpr size_t kSlots = 2048;
static_assert(kEntryCount * 4 < kSlots, "keep the keyword table sparse");

constexpr u32 hashWord(std::string_view word) {
    u32 hash = static_cast<u32>(word.size());
    for (char c : word) hash = (hash ^ static_cast<u8>(c)) * 16777619u;
    return hash ^ (hash >> 15);
}

// Open addressing, filled at compile time; 0 is an empty slot.
constexpr std::array<u16, kSlots> kTable = [] {
    std::array<u16, kSlots> table{};
    for (size_t i = 1; i < kEntryCount; ++i) {
        size_t slot = hashWord(kEntries[i].word) % kSlots;
        while (table[slot] != 0) slot = (slot + 1) % kSlots;
        table[slot] = static_cast<u16>(i);
    }
    return table;
}();

constexpr size_t kLongest = [] {
    size_t longest = 0;
    for (const Entry& entry : kEntries)
        if (entry.word.size() > longest) longest = entry.word.size();
    return longest;
}();

} // namespace

Keyword findKeyword(std::string_view word) {
    if (word.size() > kLongest) return Keyword::kNoKeyword;
    size_t slot = hashWord(word) % kSlots;
    while (kTable[slot] != 0) {
        if (kEntries[kTable[slot]].word == word) return static_cast<Keyword>(kTable[slot]);
        slot = (slot + 1) % kSlots;
    }
    return Keyword::kNoKeyword;
}

std::string_view keywordText(Keyword keyword) {
    return kEntries[static_cast<size_t>(keyword)].word;
}

bool isReserved(Keyword keyword) {
    return kEntries[static_cast<size_t>(keyword)].reserved;
}

} // namespace blueshift::parse
