// Hashes of text and numbers: MD5, SHA, CRC32, FNV, Murmur.
#include <openssl/evp.h>
#include <zlib.h>

#include <cstring>

#include "functions/overload.h"
#include "functions/scalar/rows.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;

Stored digest(Scope& scope, Text text, const EVP_MD* method) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), bytes, &size, method, nullptr);
    scope.scratch.clear();
    for (unsigned i = 0; i < size; ++i) {
        scope.scratch += "0123456789abcdef"[bytes[i] >> 4];
        scope.scratch += "0123456789abcdef"[bytes[i] & 15];
    }
    return {scope.scratch};
}
Stored md5(Scope& scope, Text text) {
    return digest(scope, text, EVP_md5());
}
Stored sha1(Scope& scope, Text text) {
    return digest(scope, text, EVP_sha1());
}
Stored sha2(Scope& scope, Text text, i32 bits) {
    switch (bits) {
    case 0:
    case 256: return digest(scope, text, EVP_sha256());
    case 224: return digest(scope, text, EVP_sha224());
    case 384: return digest(scope, text, EVP_sha384());
    case 512: return digest(scope, text, EVP_sha512());
    default:
        scope.fail(Error(sqlstate::kInvalidParameterValue,
                         "SHA2 has no form of " + std::to_string(bits) + " bits")
                       .withHint("Use 224, 256, 384 or 512; 0 stands for 256."));
        return {};
    }
}
Stored crc(Scope& scope, Text text) {
    u32 value = u32(::crc32(0, reinterpret_cast<const Bytef*>(text.data()), uInt(text.size())));
    scope.scratch.assign(8, '0');
    for (int i = 7; i >= 0; --i, value >>= 4)
        scope.scratch[size_t(i)] = "0123456789abcdef"[value & 15];
    return {scope.scratch};
}

/// FNV-1a of 64 bits over the bytes of a value.
constexpr u64 kFnvBasis = 0xCBF29CE484222325ull;
u64 fnv(const void* data, size_t size, u64 hash) {
    const u8* bytes = static_cast<const u8*>(data);
    for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001B3ull;
    return hash;
}
template <class T> i64 fnvNumber(Scope&, T value) {
    return i64(fnv(&value, sizeof value, kFnvBasis));
}
template <class T> i64 fnvNumberSeed(Scope&, T value, i64 seed) {
    return i64(fnv(&value, sizeof value, u64(seed)));
}
i64 fnvText(Scope&, Text text) {
    return i64(fnv(text.data(), text.size(), kFnvBasis));
}
i64 fnvTextSeed(Scope&, Text text, i64 seed) {
    return i64(fnv(text.data(), text.size(), u64(seed)));
}

/// Murmur3 of 32 bits.
u32 murmur(const void* data, size_t size, u32 seed) {
    const u8* bytes = static_cast<const u8*>(data);
    u32 hash = seed;
    const auto mix = [](u32 k) {
        k *= 0xCC9E2D51u;
        k = k << 15 | k >> 17;
        return k * 0x1B873593u;
    };
    size_t at = 0;
    for (; at + 4 <= size; at += 4) {
        u32 word;
        std::memcpy(&word, bytes + at, 4);
        hash ^= mix(word);
        hash = (hash << 13 | hash >> 19) * 5 + 0xE6546B64u;
    }
    u32 tail = 0;
    for (size_t i = size; i > at; --i) tail = tail << 8 | bytes[i - 1];
    if (size > at) hash ^= mix(tail);
    hash ^= u32(size);
    hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
    hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
    return hash ^ hash >> 16;
}
template <class T> i32 murmurNumber(Scope&, T value) {
    return i32(murmur(&value, sizeof value, 0));
}
i32 murmurText(Scope&, Text text) {
    return i32(murmur(text.data(), text.size(), 0));
}
i32 murmurTextSeed(Scope&, Text text, i32 seed) {
    return i32(murmur(text.data(), text.size(), u32(seed)));
}
i32 checksumText(Scope&, Text text) {
    return i32(murmur(text.data(), text.size(), 0x9747B28Cu) & 0x7FFFFFFF);
}
i32 checksumNumber(Scope&, i64 value) {
    return i32(murmur(&value, sizeof value, 0x9747B28Cu) & 0x7FFFFFFF);
}

template <class T> void addNumber(std::vector<Overload>& table, K kind) {
    table.push_back({{.name = "fnv_hash", .loop = rowLoop<fnvNumber<T>>}, {kind}, K::kBigInt});
    table.push_back(
        {{.name = "fnv_hash", .loop = rowLoop<fnvNumberSeed<T>>}, {kind, K::kBigInt}, K::kBigInt});
    table.push_back(
        {{.name = "murmur3_32_hash", .loop = rowLoop<murmurNumber<T>>}, {kind}, K::kInteger});
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    const auto add = [&](std::string_view name, VectorLoop loop, std::vector<K> parameters,
                         K result, bool fails = false) {
        table.push_back(
            {{.name = name, .can_fail = fails, .loop = loop}, std::move(parameters), result});
    };
    add("md5", rowLoop<md5>, {K::kText}, K::kText);
    for (std::string_view name : {"sha", "sha1", "func_sha1"})
        add(name, rowLoop<sha1>, {K::kText}, K::kText);
    add("sha2", rowLoop<sha2>, {K::kText, K::kInteger}, K::kText, true);
    add("crc32", rowLoop<crc>, {K::kText}, K::kText);
    addNumber<i16>(table, K::kSmallInt);
    addNumber<i32>(table, K::kInteger);
    addNumber<i64>(table, K::kBigInt);
    addNumber<f64>(table, K::kDouble);
    addNumber<i32>(table, K::kDate);
    addNumber<i64>(table, K::kTimestamp);
    add("fnv_hash", rowLoop<fnvText>, {K::kText}, K::kBigInt);
    add("fnv_hash", rowLoop<fnvTextSeed>, {K::kText, K::kBigInt}, K::kBigInt);
    add("murmur3_32_hash", rowLoop<murmurText>, {K::kText}, K::kInteger);
    add("murmur3_32_hash", rowLoop<murmurTextSeed>, {K::kText, K::kInteger}, K::kInteger);
    add("checksum", rowLoop<checksumNumber>, {K::kBigInt}, K::kInteger);
    add("checksum", rowLoop<checksumText>, {K::kText}, K::kInteger);
    return table;
}

} // namespace

OverloadTable hashFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
