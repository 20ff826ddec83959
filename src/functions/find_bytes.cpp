#include "functions/find_bytes.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/ints.h"

namespace blueshift::functions {

namespace {

constexpr size_t kNowhere = std::string_view::npos;
constexpr size_t kLongPart = 64;

/// 32 or 16 places at once: a bit for each where first and last byte of the part stand.
struct Wide {
    static constexpr size_t kPlaces = 32;
    static u32 places(const char* begin, const char* end, char first, char last) {
        const auto at = [](const char* from) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        };
        return u32(_mm256_movemask_epi8(
            _mm256_and_si256(_mm256_cmpeq_epi8(at(begin), _mm256_set1_epi8(first)),
                             _mm256_cmpeq_epi8(at(end), _mm256_set1_epi8(last)))));
    }
};
struct Narrow {
    static constexpr size_t kPlaces = 16;
    static u32 places(const char* begin, const char* end, char first, char last) {
        const auto at = [](const char* from) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        };
        return u32(_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(at(begin), _mm_set1_epi8(first)),
                                                   _mm_cmpeq_epi8(at(end), _mm_set1_epi8(last)))));
    }
};

/// The part has at least two bytes, and a block of places fits the text. The last block begins
/// before the end of the one before it.
template <class Block> size_t find(std::string_view text, std::string_view part) {
    const size_t last_block = text.size() - (part.size() - 1) - Block::kPlaces;
    for (size_t block = 0;; block += Block::kPlaces) {
        block = std::min(block, last_block);
        const char* const begin = text.data() + block;
        u32 places = Block::places(begin, begin + part.size() - 1, part.front(), part.back());
        for (; places != 0; places &= places - 1) {
            const size_t place = size_t(std::countr_zero(places));
            if (std::memcmp(begin + place + 1, part.data() + 1, part.size() - 2) == 0)
                return block + place;
        }
        if (block == last_block) return kNowhere;
    }
}

} // namespace

size_t findBytes(std::string_view text, std::string_view part) {
    if (part.size() < 2 || text.size() < part.size()) return text.find(part);
    if (part.size() > kLongPart) {
        const void* found = memmem(text.data(), text.size(), part.data(), part.size());
        return found == nullptr ? kNowhere : size_t(static_cast<const char*>(found) - text.data());
    }
    const size_t places = text.size() - part.size() + 1;
    if (places >= Wide::kPlaces) return find<Wide>(text, part);
    if (places >= Narrow::kPlaces) return find<Narrow>(text, part);
    return text.find(part);
}

} // namespace blueshift::functions
