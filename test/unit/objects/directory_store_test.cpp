// The contract of ObjectStore, on a real and on a simulated directory; the lock of a place.
#include "objects/directory_store.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "objects/place_lock.h"
#include "objects/simulated_file_system.h"

namespace blueshift::objects {
namespace {

std::vector<u8> bytesOf(std::string_view text) {
    return {text.begin(), text.end()};
}
std::string textOf(const std::vector<u8>& bytes) {
    return {bytes.begin(), bytes.end()};
}

/// A fresh directory of the machine, removed at the end.
struct RealDirectory {
    std::string path;
    RealDirectory() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "blueshift-store-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~RealDirectory() { std::filesystem::remove_all(path); }
};

void checkContract(ObjectStore& store) {
    CHECK(store.create("log/1", bytesOf("one")).outcome == WriteOutcome::kDone);
    CHECK(store.create("log/1", bytesOf("two")).outcome == WriteOutcome::kExists);
    CHECK(textOf(*store.get("log/1")) == "one");
    CHECK(store.put("data/5/w/0", bytesOf("0123456789")).has_value());
    CHECK(textOf(*store.getRange("data/5/w/0", 3, 4)) == "3456");
    CHECK(store.getRange("data/5/w/0", 8, 4).error().sqlstate == "XX001");
    CHECK(store.getRange("data/5/w/0", ~u64{0}, 4).error().sqlstate == "XX001");
    CHECK(*store.size("data/5/w/0") == 10);
    const auto object = store.open("data/5/w/0");
    REQUIRE(object);
    std::vector<u8> part(2);
    CHECK((*object)->read(8, part).has_value());
    CHECK(textOf(part) == "89");
    CHECK(!(*object)->read(9, part).has_value());
    CHECK(store.put("data/5/w/0", bytesOf("new")).has_value());
    CHECK(textOf(*store.get("data/5/w/0")) == "new");
    CHECK(store.put("empty", {}).has_value());
    CHECK(store.get("empty")->empty());

    for (const char* missing : {"log/2", "nowhere/at/all", "data/5"}) {
        CHECK(isMissing(store.get(missing).error()));
        CHECK(isMissing(store.size(missing).error()));
        CHECK(isMissing(store.open(missing).error()));
    }
    for (const char* bad : {"", "/x", "x/", "a//b", "../x", "a/../b", ".lock", "a b", "tmp/x"}) {
        CHECK(store.get(bad).error().sqlstate == "22023");
        CHECK(store.put(bad, {}).error().sqlstate == "22023");
        CHECK(store.create(bad, {}).outcome == WriteOutcome::kRefused);
    }

    CHECK(store.put("data/51/x", bytesOf("x")).has_value());
    std::vector<std::string> keys;
    for (const ObjectInfo& info : *store.list("")) keys.push_back(info.key);
    CHECK(keys == std::vector<std::string>{"data/5/w/0", "data/51/x", "empty", "log/1"});
    keys.clear();
    for (const ObjectInfo& info : *store.list("data/5")) keys.push_back(info.key);
    CHECK(keys == std::vector<std::string>{"data/5/w/0", "data/51/x"});
    CHECK(store.list("data/5/")->size() == 1);
    CHECK(store.list("none/")->empty());

    CHECK(store.remove("data/51/x").has_value());
    CHECK(store.remove("data/51/x").has_value());
    CHECK(isMissing(store.get("data/51/x").error()));

    CHECK(store.getVersioned("gc/boundary")->version.empty());
    CHECK(store.compareAndSwap("gc/boundary", "9", bytesOf("a")).outcome == WriteOutcome::kExists);
    CHECK(store.compareAndSwap("gc/boundary", "", bytesOf("a")).outcome == WriteOutcome::kDone);
    const VersionedObject first = *store.getVersioned("gc/boundary");
    CHECK(textOf(first.bytes) == "a");
    // The same bytes again are another version.
    CHECK(store.compareAndSwap("gc/boundary", first.version, bytesOf("a")).outcome ==
          WriteOutcome::kDone);
    CHECK(store.compareAndSwap("gc/boundary", first.version, bytesOf("b")).outcome ==
          WriteOutcome::kExists);
    CHECK(textOf(store.getVersioned("gc/boundary")->bytes) == "a");
}

} // namespace

TEST_CASE("the contract on a real directory") {
    const RealDirectory directory;
    const auto files = makeLocalFileSystem();
    const auto random = makeSeededRandom(1);
    auto store = DirectoryStore::open(*files, directory.path + "/place", *random);
    REQUIRE_MESSAGE(store.has_value(), store.error().message);
    checkContract(**store);
    CHECK(std::filesystem::is_empty(directory.path + "/place/tmp"));
    // Another handle sees the same objects.
    auto again = DirectoryStore::open(*files, directory.path + "/place", *random);
    REQUIRE(again);
    CHECK(textOf(*(*again)->get("log/1")) == "one");
    CHECK(DirectoryStore::open(*files, directory.path + "/no/such/parent", *random)
              .error()
              .sqlstate == "58P01");
}

TEST_CASE("the contract on a simulated directory, also after a crash") {
    SimulatedFileSystem files;
    const auto random = makeSeededRandom(1);
    auto store = DirectoryStore::open(files, "/place", *random);
    REQUIRE(store);
    checkContract(**store);
    files.crash(0);
    store = DirectoryStore::open(files, "/place", *random);
    REQUIRE(store);
    CHECK(textOf(*(*store)->get("log/1")) == "one");
    CHECK(textOf(*(*store)->get("data/5/w/0")) == "new");
    CHECK(textOf((*store)->getVersioned("gc/boundary")->bytes) == "a");
    CHECK(isMissing((*store)->get("data/51/x").error()));
}

TEST_CASE("racing creates of one key: exactly one wins, readers see whole objects") {
    const RealDirectory directory;
    const auto files = makeLocalFileSystem();
    const auto random = makeSeededRandom(1);
    auto store = std::move(*DirectoryStore::open(*files, directory.path, *random));
    for (int round = 0; round < 10; ++round) {
        const std::string key = "log/" + std::to_string(round);
        std::atomic<int> winners{0};
        std::vector<std::thread> threads;
        for (u8 t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                const std::vector<u8> mine(3000, t);
                const WriteOutcome outcome = store->create(key, mine).outcome;
                winners += outcome == WriteOutcome::kDone;
                const auto seen = store->get(key);
                if (!seen || seen->size() != 3000) winners += 100;
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(winners == 1);
    }
}

TEST_CASE("an object appears whole or not at all at every point of failure") {
    const std::vector<u8> content(5000, 'x');
    for (u64 at = 1; at < 60; ++at)
        for (const u64 seed : {u64{0}, at, at + 1000}) {
            SimulatedFileSystem files;
            const auto random = makeSeededRandom(1);
            auto store = DirectoryStore::open(files, "/place", *random);
            REQUIRE(store);
            files.resetCount();
            files.powerOffAt(at);
            const WriteResult created = (*store)->create("deep/er/log/1", content);
            const Status put = (*store)->put("deep/er/data/1", content);
            files.crash(seed);
            store = DirectoryStore::open(files, "/place", *random);
            REQUIRE(store);
            const auto first = (*store)->get("deep/er/log/1");
            const auto second = (*store)->get("deep/er/data/1");
            if (created.outcome == WriteOutcome::kDone) CHECK(first.has_value());
            if (created.outcome == WriteOutcome::kRefused) CHECK(!first.has_value());
            if (put) CHECK(second.has_value());
            if (first) CHECK(*first == content);
            if (second) CHECK(*second == content);
        }
}

TEST_CASE("full disks, failing disks and network disks") {
    SimulatedFileSystem files;
    const auto random = makeSeededRandom(1);
    auto store = std::move(*DirectoryStore::open(files, "/place", *random));
    files.setFreeBytes(100);
    const WriteResult full = store->create("log/1", std::vector<u8>(5000));
    CHECK(full.outcome == WriteOutcome::kRefused);
    CHECK(full.error.sqlstate == "53100");
    CHECK(store->put("data/1", std::vector<u8>(5000)).error().sqlstate == "53100");
    CHECK(!store->poisoned());
    CHECK(store->createEssential("log/1", std::vector<u8>(5000)).outcome == WriteOutcome::kDone);
    files.setFreeBytes(~u64{0});
    files.failFsync(EIO);
    CHECK(store->put("data/1", std::vector<u8>(10)).error().sqlstate == "58030");
    files.failFsync(0);
    CHECK(store->poisoned());
    CHECK(store->get("log/1").error().sqlstate == "58030");
    CHECK(store->create("log/2", {}).outcome == WriteOutcome::kRefused);

    files.crash(0);
    files.setType(FileSystemType::kNetwork);
    const auto remote = DirectoryStore::open(files, "/place", *random);
    REQUIRE(!remote);
    CHECK(remote.error().sqlstate == "55000");
    DirectoryStoreOptions options;
    options.allow_remote_file_system = true;
    CHECK(DirectoryStore::open(files, "/place", *random, options).has_value());
}

TEST_CASE("a second opener of a place gets 55006 with the address") {
    const RealDirectory directory;
    const auto files = makeLocalFileSystem();
    CHECK(PlaceLock::holder(*files, directory.path)->empty());
    auto lock = PlaceLock::acquire(*files, directory.path, "127.0.0.1:5439");
    REQUIRE(lock);
    CHECK(*PlaceLock::holder(*files, directory.path) == "127.0.0.1:5439");
    const auto second = PlaceLock::acquire(*files, directory.path, "x");
    REQUIRE(!second);
    CHECK(second.error().sqlstate == "55006");
    CHECK(second.error().detail.find("127.0.0.1:5439") != std::string::npos);
    REQUIRE((*lock)->setAddress("h:1"));
    CHECK(*PlaceLock::holder(*files, directory.path) == "h:1");
    lock->reset();
    CHECK(PlaceLock::holder(*files, directory.path)->empty());
    CHECK(PlaceLock::acquire(*files, directory.path, "y").has_value());
}

} // namespace blueshift::objects
