// The bucket hash is a format: these vectors never change. docs/formats/bucket_hash.md has the
// same.
#include "types/bucket_hash.h"

#include <doctest/doctest.h>

#include <limits>

using namespace blueshift;
using namespace blueshift::kernels;

TEST_CASE("bucket hashes of integers: by value, whatever the width") {
    CHECK(bucketHashInteger(i64{0}) == 0xE220A8397B1DCDAFull);
    CHECK(bucketHashInteger(i64{1}) == 0x910A2DEC89025CC1ull);
    CHECK(bucketHashInteger(i64{-1}) == 0xE4D971771B652C20ull);
    CHECK(bucketHashInteger(i64{123456789012}) == 0xCE0AC43ABA697DF6ull);
    CHECK(bucketHashInteger(i128{1} << 64) == 0x08B4FDA8C892B50Eull);
    CHECK(bucketHashInteger(-(i128{1} << 100)) == 0xC008B9B5219D4CECull);
    for (const i64 value : {i64{0}, i64{1}, i64{-1}, i64{100}, i64{-128}}) {
        const u64 expected = bucketHashInteger(value);
        CHECK(bucketHashInteger(i8(value)) == expected);
        CHECK(bucketHashInteger(i16(value)) == expected);
        CHECK(bucketHashInteger(i32(value)) == expected);
        CHECK(bucketHashInteger(i128(value)) == expected);
    }
}

TEST_CASE("bucket hashes of floats: one zero, one NaN, REAL as DOUBLE") {
    CHECK(bucketHashFloat(0.0) == 0x6B343536638C9CDAull);
    CHECK(bucketHashFloat(-0.0) == bucketHashFloat(0.0));
    CHECK(bucketHashFloat(1.5) == 0x2F443B0EB3BAC10Eull);
    CHECK(bucketHashFloat(std::numeric_limits<f64>::quiet_NaN()) == 0x6E6C52DFA34C5C8Dull);
    CHECK(bucketHashFloat(-std::numeric_limits<f64>::quiet_NaN()) ==
          bucketHashFloat(std::numeric_limits<f64>::quiet_NaN()));
    CHECK(bucketHashFloat(f64(f32(0.1f))) == bucketHashFloat(0.1f));
}

TEST_CASE("bucket hashes of text: trailing blanks do not count") {
    const auto hash = [](std::string_view text) { return bucketHashText(makeTextView(text)); };
    CHECK(hash("") == 0xE220A8397B1DCDAFull);
    CHECK(hash("a") == 0x5E025F9ADE9EAF3Eull);
    CHECK(hash("redshift") == 0x2C3F266A973DF09Dull);
    CHECK(hash("a text of more than twelve bytes") == 0xCE47BB3EE270112Bull);
    CHECK(hash("a   ") == hash("a"));
    CHECK(hash("   ") == hash(""));
    CHECK(hash(" a") != hash("a"));
    CHECK(hash(std::string_view("a\0", 2)) != hash("a"));
}

TEST_CASE("NULL has a bucket, several columns combine in order") {
    CHECK(bucketOf(kBucketNullHash) == 0x6E7);
    CHECK(bucketOf(0xFFF0000000000000ull) == 4095);
    CHECK(bucketCombine(bucketHashInteger(i64{1}), bucketHashInteger(i64{2})) ==
          0x9F5D66FCA9FBC025ull);
    CHECK(bucketCombine(bucketHashInteger(i64{1}), bucketHashInteger(i64{2})) !=
          bucketCombine(bucketHashInteger(i64{2}), bucketHashInteger(i64{1})));
}

TEST_CASE("vectors of every form hash as their values do") {
    i32 values[] = {5, -7, 5, 1000};
    u64 validity[] = {0b1011};
    const Vector flat{.kind = PhysicalKind::kI32, .data = values, .validity = validity};
    u64 hashes[4];
    bucketHashes(flat, nullptr, 4, false, hashes);
    CHECK(hashes[0] == bucketHashInteger(5));
    CHECK(hashes[1] == bucketHashInteger(-7));
    CHECK(hashes[2] == kBucketNullHash);
    CHECK(hashes[3] == bucketHashInteger(1000));

    TextView entries[] = {makeTextView("one"), makeTextView("two")};
    u8 codes[] = {1, 0, 1};
    const Vector dictionary{.kind = PhysicalKind::kText,
                            .form = VectorForm::kDictionary,
                            .code_width = 1,
                            .dictionary_size = 2,
                            .data = entries,
                            .codes = codes};
    const u16 rows[] = {0, 2};
    bucketHashes(dictionary, rows, 2, false, hashes);
    CHECK(hashes[0] == bucketHashText(entries[1]));
    CHECK(hashes[1] == hashes[0]);

    const Vector constant{
        .kind = PhysicalKind::kI32, .form = VectorForm::kConstant, .data = values};
    bucketHashes(constant, nullptr, 2, true, hashes);
    CHECK(hashes[0] == bucketCombine(bucketHashText(entries[1]), bucketHashInteger(5)));
    CHECK(bucketHash(flat, 3) == bucketHashInteger(1000));
}
