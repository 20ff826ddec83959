#include "types/bucket_hash.h"

namespace blueshift {

namespace {

template <class T> u64 hashOf(const T& value) {
    if constexpr (std::is_same_v<T, TextView>) return kernels::bucketHashText(value);
    else if constexpr (std::is_floating_point_v<T>) return kernels::bucketHashFloat(f64(value));
    else return kernels::bucketHashInteger(value);
}

} // namespace

void bucketHashes(const Vector& vector, const u16* rows, u32 count, bool combine, u64* hashes) {
    dispatchKind(vector.kind, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        const T* values = vector.values<T>();
        const auto each = [&](auto&& hash_of_row) {
            for (u32 i = 0; i < count; ++i) {
                const u64 hash = hash_of_row(rows == nullptr ? i : u32(rows[i]));
                hashes[i] = combine ? kernels::bucketCombine(hashes[i], hash) : hash;
            }
        };
        if (vector.form == VectorForm::kFlat && vector.validity == nullptr) {
            each([&](u32 row) { return hashOf<T>(values[row]); });
            return;
        }
        each([&](u32 row) {
            return vector.isNull(row) ? kernels::kBucketNullHash
                                      : hashOf<T>(values[vector.indexOf(row)]);
        });
    });
}

u64 bucketHash(const Vector& vector, u32 row) {
    const u16 rows[] = {u16(row)};
    u64 hash = 0;
    bucketHashes(vector, rows, 1, false, &hash);
    return hash;
}

} // namespace blueshift
