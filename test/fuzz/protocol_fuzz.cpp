// protocol_fuzz.cpp: libFuzzer target: any bytes against a session, over memory.
//
// Proves that no sequence of bytes crashes a session, leaks a connection or hangs it. The first
// byte chooses whether the start-up packet is sent for the fuzzer. Build and run: `fuzz_protocol`
// of the sanitized tree, test/fuzz/run.py. The engine is that of test/unit/session.
#include <cstring>
#include <string>

#include "session/session.h"
#include "unit/session/fake_engine.h"

namespace {

using namespace blueshift;

class MemoryTransport final : public session::Transport {
public:
    explicit MemoryTransport(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<size_t> read(std::span<char> into) override {
        // Small pieces, so that messages are torn in every place.
        const size_t count = std::min({into.size(), bytes_.size() - at_, size_t(61)});
        std::memcpy(into.data(), bytes_.data() + at_, count);
        at_ += count;
        return count;
    }
    Status write(std::string_view) override { return {}; }

private:
    std::string bytes_;
    size_t at_ = 0;
};

std::string startupPacket() {
    std::string packet(4, '\0');
    session::appendInt32(packet, 196608);
    packet += std::string("user\0admin\0database\0dev\0\0", 25);
    session::patchInt32(packet, 0, i32(packet.size()));
    return packet;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    fake::FakeEngine engine;
    engine.users["admin"] = {.name = "admin", .superuser = true};
    const auto clock = makeSystemClock();
    const auto random = makeSeededRandom(1);
    session::LoginThrottle throttle;
    session::SessionEnvironment environment;
    environment.engine = &engine;
    environment.clock = clock.get();
    environment.random = random.get();
    environment.throttle = &throttle;
    environment.trust = data[0] % 2 == 0;
    environment.mock_secret = "secret";
    environment.pause = [](u32) {};
    std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    // The fake engine's sleep would wait for a cancel that never comes.
    for (size_t at = 0; (at = bytes.find("sleep", at)) != std::string::npos;) bytes[at] = 'x';
    MemoryTransport transport((data[0] % 4 < 2 ? startupPacket() : std::string()) + bytes);
    session::Session session(environment, transport, "127.0.0.1", true);
    session.run();
    return 0;
}
