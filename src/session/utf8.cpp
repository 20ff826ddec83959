#include "session/utf8.h"

#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace blueshift::session {

size_t findInvalidUtf8(std::string_view text) {
    const auto* bytes = reinterpret_cast<const u8*>(text.data());
    const size_t size = text.size();
    size_t i = 0;
    while (i < size) {
        // Eight ASCII bytes at a time.
        if (i + 8 <= size) {
            u64 word;
            std::memcpy(&word, bytes + i, 8);
            if ((word & 0x8080808080808080ull) == 0) {
                i += 8;
                continue;
            }
        }
        const u8 lead = bytes[i];
        if (lead < 0x80) {
            ++i;
            continue;
        }
        const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                              : (lead & 0xF0) == 0xE0        ? 3
                              : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                             : 0;
        if (length == 0 || i + length > size) return i;
        for (size_t k = 1; k < length; ++k)
            if ((bytes[i + k] & 0xC0) != 0x80) return i;
        const u8 second = bytes[i + 1];
        // Overlong forms, surrogates, and beyond U+10FFFF.
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
            return i;
        i += length;
    }
    return std::string_view::npos;
}

void requireUtf8(std::string_view text) {
    const size_t at = findInvalidUtf8(text);
    if (at == text.npos) return;
    char byte[8];
    std::snprintf(byte, sizeof(byte), "0x%02x", unsigned(u8(text[at])));
    throw SqlError(Error(sqlstate::kCharacterNotInRepertoire,
                         std::string("invalid byte sequence for encoding \"UTF8\": ") + byte)
                       .withHint("Send text in UTF-8."));
}

} // namespace blueshift::session
