// message_format.h: the fixed parts of a message; private to exchange/. Little-endian.
//
// Place: message_writer.cpp and received_batch.cpp. Described in docs/formats/exchange.md.
// Header, one ColumnHeader a column, then each column's sections, every one at a multiple of 16.
#pragma once

#include "base/hash.h"
#include "base/ints.h"

namespace blueshift::exchange {

struct MessageHeader {
    static constexpr u32 kMagic = 0x42585342; // "BSXB"
    u32 magic = kMagic;
    u16 version = 1;
    u16 columns = 0;
    u32 rows = 0;
    u32 sender = 0;
    u64 bytes = 0;    // of the whole message
    u64 checksum = 0; // XXH3 of all bytes after the header, seeded by seed()

    u64 seed() const {
        return (u64{columns} << 48 | rows) ^ u64 { sender } << 20 ^ bytes << 8;
    }
};
static_assert(sizeof(MessageHeader) == 32);

struct ColumnHeader {
    static constexpr u8 kValidity = 1;
    static constexpr u8 kCoded = 2;
    static constexpr u8 kDictionary = 4; // the dictionary is in this message
    u8 kind = 0;
    u8 flags = 0;
    u16 reserved = 0;
    u32 entries = 0;     // kDictionary
    u32 entry_bytes = 0; // kDictionary
    u32 text_bytes = 0;  // text that is not coded
};
static_assert(sizeof(ColumnHeader) == 16);

inline size_t sectionEnd(size_t offset, size_t bytes) {
    return (offset + bytes + 15) & ~size_t{15};
}

} // namespace blueshift::exchange
