// Channels: order, ends, credit, parking; and threads that send and receive at once.
#include "exchange/channel.h"

#include <doctest/doctest.h>

#include <thread>

using namespace blueshift;
using namespace blueshift::exchange;

namespace {

Message messageOf(i64 first, u32 count) {
    std::vector<i64> values(count);
    for (u32 i = 0; i < count; ++i) values[i] = first + i;
    const Vector vector{.kind = PhysicalKind::kI64, .data = values.data()};
    const PhysicalKind kinds[] = {PhysicalKind::kI64};
    MessageWriter writer(kinds, 0);
    Message made;
    writer.append(std::span(&vector, 1), nullptr, count, [](Message) {});
    writer.flush([&](Message message) { made = std::move(message); });
    return made;
}

struct CountingWaiter : Waiter {
    std::atomic<int> woken{0};
    void wake() override { ++woken; }
};

} // namespace

TEST_CASE("messages arrive in order, then the end") {
    Channel channel({.endpoints = 2, .kinds = {PhysicalKind::kI64}});
    channel.expect(1);
    ReceivedBatch batch;
    CountingWaiter receiver;
    CHECK(*channel.take(1, 0, batch) == Channel::Taken::kEmpty);
    CHECK(!channel.readyOrPark(1, 0, receiver));
    channel.send(0, 0, 1, 3, messageOf(10, 3));
    CHECK(receiver.woken == 1);
    channel.send(0, 0, 1, 1, messageOf(20, 1));
    CHECK(channel.readyOrPark(1, 0, receiver));
    REQUIRE(*channel.take(1, 0, batch) == Channel::Taken::kBatch);
    CHECK(batch.batch().columns[0].integerAt(2) == 12);
    channel.senderEnded(0);
    REQUIRE(*channel.take(1, 0, batch) == Channel::Taken::kBatch);
    CHECK(batch.batch().columns[0].integerAt(0) == 20);
    CHECK(*channel.take(1, 0, batch) == Channel::Taken::kEnded);
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kEnded);
    CHECK(channel.counters().rows == 4);
    CHECK(channel.counters().moved_bytes == channel.counters().bytes);
}

TEST_CASE(
    "a full endpoint parks senders until half of it is taken; what stays on a node moves nothing") {
    Channel channel({.endpoints = 1, .kinds = {PhysicalKind::kI64}, .credit_bytes = 10'000});
    channel.expect(2);
    CountingWaiter sender;
    u32 sent = 0;
    while (channel.roomOrPark(0, sender)) {
        channel.send(0, 0, 0, 100, messageOf(0, 100));
        ++sent;
    }
    CHECK(sent > 5);
    ReceivedBatch batch;
    for (u32 taken = 0; taken < sent; ++taken) {
        CHECK((sender.woken == 0) == (taken <= sent / 2));
        REQUIRE(*channel.take(0, 0, batch) == Channel::Taken::kBatch);
        if (sender.woken == 1) break;
    }
    CHECK(sender.woken == 1);
    CHECK(channel.counters().moved_bytes == 0);
    channel.senderEnded(0);
    CountingWaiter receiver;
    while (*channel.take(0, 0, batch) == Channel::Taken::kBatch) {}
    CHECK(!channel.readyOrPark(0, 0, receiver));
    channel.senderEnded(1);
    CHECK(receiver.woken == 1);
}

TEST_CASE("senders that join later are waited for") {
    Channel channel({.endpoints = 1, .kinds = {PhysicalKind::kI64}});
    channel.expect(2);
    channel.senderEnded(0);
    const u32 joined = channel.addSenders(2);
    CHECK(joined == 2);
    CHECK(channel.senders() == 4);
    channel.senderEnded(1);
    channel.senderEnded(joined);
    ReceivedBatch batch;
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kEmpty);
    channel.send(joined + 1, 0, 0, 1, messageOf(5, 1));
    channel.senderEnded(joined + 1);
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kBatch);
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kEnded);
}

TEST_CASE("an ordered channel keeps its senders apart") {
    Channel channel({.endpoints = 1, .kinds = {PhysicalKind::kI64}, .ordered = true, .nodes = 2});
    channel.expect(2);
    channel.send(0, 0, 0, 1, messageOf(1, 1));
    channel.send(1, 1, 0, 1, messageOf(2, 1));
    channel.senderEnded(1);
    ReceivedBatch batch;
    REQUIRE(*channel.take(0, 1, batch) == Channel::Taken::kBatch);
    CHECK(batch.batch().columns[0].integerAt(0) == 2);
    CHECK(*channel.take(0, 1, batch) == Channel::Taken::kEnded);
    REQUIRE(*channel.take(0, 0, batch) == Channel::Taken::kBatch);
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kEmpty);
}

TEST_CASE("abandoning wakes everybody") {
    Channel channel({.endpoints = 1, .kinds = {PhysicalKind::kI64}, .credit_bytes = 1});
    channel.expect(1);
    CountingWaiter sender;
    channel.send(0, 0, 0, 1, messageOf(1, 1));
    CHECK(!channel.roomOrPark(0, sender));
    channel.abandon();
    CHECK(sender.woken == 1);
    CHECK(channel.roomOrPark(0, sender));
    ReceivedBatch batch;
    CHECK(*channel.take(0, 0, batch) == Channel::Taken::kEnded);
    channel.waitReady(0, 0);
}

TEST_CASE("a closed endpoint takes no room and drops what comes") {
    Channel channel({.endpoints = 2, .kinds = {PhysicalKind::kI64}, .credit_bytes = 1});
    channel.expect(1);
    CountingWaiter sender;
    channel.send(0, 0, 0, 1, messageOf(1, 1));
    CHECK(!channel.roomOrPark(0, sender));
    channel.closeEndpoint(0);
    CHECK(sender.woken == 1);
    channel.send(0, 0, 0, 1, messageOf(1, 1));
    CHECK(channel.roomOrPark(0, sender));
    CHECK(!channel.closed());
    channel.closeEndpoint(1);
    CHECK(channel.closed());
}

TEST_CASE("several threads send to several that receive") {
    constexpr u32 kSenders = 3;
    constexpr u32 kEndpoints = 2;
    constexpr i64 kMessages = 300;
    Channel channel({.endpoints = kEndpoints, .kinds = {PhysicalKind::kI64}, .nodes = kSenders});
    channel.expect(kSenders);
    std::vector<std::thread> threads;
    std::atomic<i64> sum{0};
    for (u32 s = 0; s < kSenders; ++s)
        threads.emplace_back([&, s] {
            for (i64 m = 0; m < kMessages; ++m)
                channel.send(s, s, u32(m) % kEndpoints, 5, messageOf(m, 5));
            channel.senderEnded(s);
        });
    for (u32 e = 0; e < kEndpoints; ++e)
        threads.emplace_back([&, e] {
            ReceivedBatch batch;
            for (;;) {
                const auto taken = channel.take(e, 0, batch);
                if (*taken == Channel::Taken::kEnded) return;
                if (*taken == Channel::Taken::kEmpty) {
                    channel.waitReady(e, 0);
                    continue;
                }
                for (u32 i = 0; i < batch.rows(); ++i)
                    sum += i64(batch.batch().columns[0].integerAt(i));
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(sum == kSenders * (kMessages * (kMessages - 1) / 2 * 5 + kMessages * 10));
}
