#include "execute/rows/hash_columns.h"

#include <algorithm>

#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {
namespace {

template <class T> u64 hashValue(const T& value) {
    if constexpr (std::is_same_v<T, TextView>) return kernels::hashText(value);
    else if constexpr (std::is_floating_point_v<T>) return kernels::hashFloat(value);
    else return kernels::hashInteger(value);
}

template <class HashOf>
void hashRows(const Vector& key, const u16* rows, u32 count, u64* hashes, bool combine,
              HashOf&& hash_of) {
    functions::visitRows(rows, [&](auto row_of) {
        for (u32 i = 0; i < count; ++i) {
            const u32 row = row_of(i);
            const u64 hash = key.validity != nullptr && key.isNull(row) ? kNullHash : hash_of(row);
            hashes[i] = combine ? kernels::combine(hashes[i], hash) : hash;
        }
    });
}

} // namespace

void ColumnHasher::hash(std::span<const Vector> keys, const u16* rows, u32 count, u64* hashes) {
    if (keys.empty()) std::fill(hashes, hashes + count, 0);
    extend(keys, 0, rows, count, hashes, false);
}

void ColumnHasher::extend(std::span<const Vector> keys, u32 first, const u16* rows, u32 count,
                          u64* hashes, bool combine) {
    for (size_t k = 0; k < keys.size(); ++k, combine = true) {
        const Vector& key = keys[k];
        EntryHashes& entries = columns_[first + k];
        const bool known = key.dictionary_id != 0 && key.dictionary_id == entries.dictionary_id;
        if (key.form == VectorForm::kDictionary && (known || key.dictionary_size <= count)) {
            hashDictionary(key, entries, rows, count, hashes, combine);
            continue;
        }
        if (key.form == VectorForm::kConstant) {
            u64 hash = kNullHash;
            dispatchKind(key.kind, [&](auto* tag) {
                using T = std::remove_pointer_t<decltype(tag)>;
                if (!key.isNull(0)) hash = hashValue(key.values<T>()[0]);
            });
            for (u32 i = 0; i < count; ++i)
                hashes[i] = combine ? kernels::combine(hashes[i], hash) : hash;
            continue;
        }
        dispatchKind(key.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            functions::visitValues<T>(key, [&](auto value) {
                hashRows(key, rows, count, hashes, combine,
                         [&](u32 row) { return hashValue<T>(value(row)); });
            });
        });
    }
}

void ColumnHasher::hashDictionary(const Vector& key, EntryHashes& entries, const u16* rows,
                                  u32 count, u64* hashes, bool combine) {
    if (key.dictionary_id == 0 || key.dictionary_id != entries.dictionary_id) {
        entries.dictionary_id = key.dictionary_id;
        entries.hashes.resize(key.dictionary_size);
        dispatchKind(key.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            const T* values = key.values<T>();
            for (u32 e = 0; e < key.dictionary_size; ++e) entries.hashes[e] = hashValue(values[e]);
        });
    }
    const u64* entry_hashes = entries.hashes.data();
    hashRows(key, rows, count, hashes, combine,
             [&](u32 row) { return entry_hashes[key.codeAt(row)]; });
}

} // namespace blueshift::execute
