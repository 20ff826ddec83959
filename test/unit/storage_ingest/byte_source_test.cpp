// Compressed sources: members and frames in a row, damage, cut ends; lists of files.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "rows_of.h"

namespace blueshift::storage {
namespace {

std::string gzipped(const std::string& text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = uInt(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstandard(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

Result<std::string> readAll(Compression compression, const std::string& bytes, size_t piece,
                            size_t room) {
    auto source = decompress(compression, sourceOf(bytes, piece), "test");
    std::string out;
    std::vector<char> buffer(room);
    for (;;) {
        BS_ASSIGN(const size_t got, source->read(buffer.data(), buffer.size()));
        if (got == 0) return out;
        out.append(buffer.data(), got);
    }
}

std::string sampleText() {
    std::mt19937 random(3);
    std::string text;
    for (int i = 0; i < 30'000; ++i) text += char('a' + random() % 7);
    return text + std::string(300'000, 'z');
}

TEST_CASE("gzip and zstd: several members, any pieces") {
    const std::string text = sampleText();
    for (Compression compression : {Compression::kGzip, Compression::kZstd}) {
        const std::string one = compression == Compression::kGzip ? gzipped(text) : zstandard(text);
        for (auto [piece, room] :
             {std::pair<size_t, size_t>{1, 1000}, {777, 64}, {1 << 20, 1 << 20}}) {
            CHECK(readAll(compression, one, piece, room).value() == text);
            CHECK(readAll(compression, one + one, piece, room).value() == text + text);
        }
    }
}

TEST_CASE("gzip and zstd: damage and cut ends are 22P04") {
    const std::string text = sampleText();
    for (Compression compression : {Compression::kGzip, Compression::kZstd}) {
        const std::string whole =
            compression == Compression::kGzip ? gzipped(text) : zstandard(text);
        for (size_t cut : {size_t{1}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
            const auto read = readAll(compression, whole.substr(0, cut), 4096, 4096);
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().sqlstate == "22P04");
        }
        const auto plain = readAll(compression, "a,b,c\n1,2,3\n", 4096, 4096);
        REQUIRE_FALSE(plain.has_value());
        CHECK(plain.error().sqlstate == "22P04");
    }
}

TEST_CASE("files: one, a directory, a prefix, none") {
    char pattern[] = "/tmp/ingest-test-XXXXXX";
    const std::string folder = mkdtemp(pattern);
    for (const char* name : {"b.csv", "a.csv", ".hidden", "_mark", "other.txt"})
        std::ofstream(folder + "/" + name) << "1\n";
    std::filesystem::create_directory(folder + "/sub");
    using Names = std::vector<std::string>;
    CHECK(listFiles(folder + "/a.csv").value() == Names{folder + "/a.csv"});
    CHECK(listFiles("file://" + folder).value() ==
          Names{folder + "/a.csv", folder + "/b.csv", folder + "/other.txt"});
    CHECK(listFiles(folder + "/b").value() == Names{folder + "/b.csv"});
    CHECK(listFiles(folder + "/none").error().sqlstate == "58P01");
    CHECK(listFiles(folder + "/sub").error().sqlstate == "58P01");
    CHECK(listFiles("/no/such/folder/x").error().sqlstate == "58P01");
    CHECK_FALSE(openFile(folder).has_value());
    std::filesystem::remove_all(folder);
}

TEST_CASE("a record without end is refused, not swallowed") {
    const std::string text = "a,b\n\"" + std::string(kLongestRecord + 1000, 'x') + "\n";
    // Not at the end of the data yet: a closing quote far behind.
    const Loaded loaded = loadText(text + text, csvFormat(), textFields(2));
    REQUIRE(loaded.broken.has_value());
    CHECK(loaded.broken->sqlstate == "22P04");
    CHECK(loaded.broken->detail == "It starts in line 2.");
}

} // namespace
} // namespace blueshift::storage
