// The AVX2 and AVX-512 block steps give the same masks and selections as the scalar ones.
#include "kernels/block_steps.h"

#include <doctest/doctest.h>

#include <random>
#include <string_view>
#include <vector>

using namespace blueshift::kernels;

namespace {

std::vector<const BlockSteps*> variants() {
    std::vector<const BlockSteps*> found;
    for (const char* name : {"avx2", "avx512"}) {
        const BlockSteps* steps = bs_choose_block_steps(name);
        if (std::string_view(steps->name) == name) found.push_back(steps);
    }
    return found;
}

using Masks = std::vector<u64>;

template <class T> void compareVariants(std::mt19937_64& random, u32 width_index) {
    for (const u32 rows : {1u, 7u, 63u, 64u, 65u, 127u, 1000u, 1024u}) {
        for (u32 round = 0; round < 20; ++round) {
            std::vector<T> values(rows); // exactly `rows`: reading past the end is a heap overflow
            const u64 range = round % 2 == 0 ? 20 : ~u64{0};
            for (T& v : values) v = T(range == 20 ? random() % 20 : random());
            i64 low = T(values[random() % rows]), high = T(values[random() % rows]);
            if (round % 5 != 0 && low > high) std::swap(low, high);
            Masks input((rows + 63) / 64);
            for (u64& word : input) word = random() | random();
            if (rows % 64 != 0) input.back() &= (u64{1} << rows % 64) - 1;
            Masks naive = input, naive_outside = input;
            for (u32 i = 0; i < rows; ++i) {
                const bool in = low <= values[i] && values[i] <= high;
                if (!in) naive[i / 64] &= ~(u64{1} << i % 64);
                else naive_outside[i / 64] &= ~(u64{1} << i % 64);
            }
            std::vector<const BlockSteps*> all = variants();
            all.push_back(&bs_block_steps_scalar);
            for (const BlockSteps* steps : all) {
                Masks mask = input, outside = input;
                steps->between[width_index](values.data(), low, high, rows, mask.data());
                steps->outside[width_index](values.data(), low, high, rows, outside.data());
                REQUIRE(mask == naive);
                REQUIRE(outside == naive_outside);
                std::vector<u16> selection(rows + 64), expected;
                for (u32 i = 0; i < rows; ++i)
                    if (mask[i / 64] >> i % 64 & 1) expected.push_back(u16(i));
                const u32 count = steps->selection_from_mask(mask.data(), rows, selection.data());
                selection.resize(count);
                REQUIRE(selection == expected);
            }
        }
    }
}

} // namespace

TEST_CASE("between, outside and selection agree in all variants") {
    std::mt19937_64 random(11);
    compareVariants<i8>(random, 0);
    compareVariants<i16>(random, 1);
    compareVariants<i32>(random, 2);
    compareVariants<i64>(random, 3);
}

TEST_CASE("code and float filters agree in all variants") {
    std::mt19937_64 random(12);
    std::vector<const BlockSteps*> all = variants();
    all.push_back(&bs_block_steps_scalar);
    for (const u32 rows : {1u, 64u, 100u, 1024u}) {
        std::vector<u8> narrow(rows);
        std::vector<u16> wide(rows);
        std::vector<f64> doubles(rows);
        std::vector<f32> singles(rows);
        for (u32 i = 0; i < rows; ++i) {
            narrow[i] = u8(random());
            wide[i] = u16(random());
            doubles[i] = i % 9 == 0 ? __builtin_nan("") : f64(random() % 100);
            singles[i] = f32(doubles[i]);
        }
        std::vector<u64> members(1024);
        for (u64& word : members) word = random();
        Masks expected[6];
        for (Masks& mask : expected) mask.assign((rows + 63) / 64, 0);
        for (u32 i = 0; i < rows; ++i) {
            const bool passes[6] = {narrow[i] >= 10 && narrow[i] <= 200,
                                    wide[i] >= 300 && wide[i] <= 60000,
                                    (members[narrow[i] / 64] >> narrow[i] % 64 & 1) != 0,
                                    (members[wide[i] / 64] >> wide[i] % 64 & 1) != 0,
                                    doubles[i] >= 10 && doubles[i] <= 50,
                                    singles[i] >= 10 && singles[i] <= 50};
            for (u32 k = 0; k < 6; ++k) expected[k][i / 64] |= u64(passes[k]) << i % 64;
        }
        for (const BlockSteps* steps : all) {
            Masks mask[6];
            for (Masks& m : mask) {
                m.assign((rows + 63) / 64, ~u64{0});
                if (rows % 64 != 0) m.back() = (u64{1} << rows % 64) - 1;
            }
            steps->codes_between[0](narrow.data(), 10, 200, rows, mask[0].data());
            steps->codes_between[1](wide.data(), 300, 60000, rows, mask[1].data());
            steps->codes_in[0](narrow.data(), members.data(), rows, mask[2].data());
            steps->codes_in[1](wide.data(), members.data(), rows, mask[3].data());
            steps->float_between[1](doubles.data(), 10, 50, rows, mask[4].data());
            steps->float_between[0](singles.data(), 10, 50, rows, mask[5].data());
            for (u32 k = 0; k < 6; ++k) REQUIRE(mask[k] == expected[k]);
        }
    }
}
