// findBytes finds what std::string_view::find finds, and reads nothing beyond the text.
#include "functions/find_bytes.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>

#include "base/ints.h"

using namespace blueshift;
using functions::findBytes;

TEST_CASE("random parts in random texts are found where they stand first") {
    std::mt19937_64 random(5);
    for (const u32 letters : {1u, 2u, 3u, 26u}) {
        for (u32 round = 0; round < 40'000; ++round) {
            const size_t size = random() % 140;
            // Exactly as long as the text: a read past its end is a heap overflow.
            const std::unique_ptr<char[]> bytes(new char[size]);
            for (size_t i = 0; i < size; ++i) bytes[i] = char('a' + random() % letters);
            const std::string_view text(bytes.get(), size);
            const size_t length = random() % (letters == 26 ? 4 : 20);
            std::string part;
            if (random() % 2 == 0 && length <= size)
                part = text.substr(random() % (size - length + 1), length);
            else
                for (size_t i = 0; i < length; ++i) part += char('a' + random() % letters);
            REQUIRE(findBytes(text, part) == text.find(part));
        }
    }
}

TEST_CASE("a part at each place of texts of each length") {
    for (const std::string& part : {std::string("needle"), std::string(70, 'd') + "e"})
        for (size_t size = part.size(); size < 120; ++size)
            for (size_t at = 0; at + part.size() <= size; ++at) {
                std::string text(size, 'n');
                text.replace(at, part.size(), part);
                REQUIRE(findBytes(text, part) == at);
                text[at + part.size() - 1] = 'x';
                REQUIRE(findBytes(text, part) == text.npos);
            }
}
