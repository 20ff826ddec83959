// bucket_hash.h: bucket hashes of the rows of vectors.
//
// Place: storage filters and splits rows by them, exchange sends rows by them. The hash itself:
// kernels/bucket_hash.h. Threads: no state.
#pragma once

#include "kernels/bucket_hash.h"
#include "types/vector.h"

namespace blueshift {

using kernels::bucketOf;
using kernels::kBuckets;

/// hashes[i] = bucket hash of row rows[i] (nullptr: i), i < count. `combine`: with what lies there.
void bucketHashes(const Vector& vector, const u16* rows, u32 count, bool combine, u64* hashes);
/// Of one value.
u64 bucketHash(const Vector& vector, u32 row);

} // namespace blueshift
