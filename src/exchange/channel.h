// channel.h: one exchange of one run: from every sending lane to the endpoint of every receiving
// node, in this process.
//
// Life cycle: construct -> expect(senders) -> send ... senderEnded; receivers take until kEnded.
// Bound: an endpoint's queue holds at most `credit_bytes`, and what a sender has in hand when it
// looks. A sender that finds it full parks, a receiver that finds it empty parks; nobody blocks but
// the client's own thread (waitReady). Ordered channels keep a queue per sender, for merging.
// Threads: all members from anywhere. A waiter is woken once per park, perhaps in vain.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "exchange/message.h"

namespace blueshift::exchange {

/// What waits for room or for messages.
class Waiter {
public:
    virtual ~Waiter() = default;
    virtual void wake() = 0;
};

struct ChannelShape {
    u32 endpoints = 1;
    std::vector<PhysicalKind> kinds;
    bool ordered = false;
    u64 credit_bytes = u64{4} << 20;
    u64 first_dictionary_id = u64{1} << 63;
    u32 nodes = 1; // that may send
};

/// What went through; rows and bytes count once per destination.
struct ChannelCounters {
    std::atomic<u64> messages{0};
    std::atomic<u64> rows{0};
    std::atomic<u64> bytes{0};       // serialised
    std::atomic<u64> moved_bytes{0}; // of these, between two different nodes
};

class Channel {
public:
    explicit Channel(ChannelShape shape);

    /// Lanes that will send; before the first of them runs. They are numbered from 0.
    void expect(u32 senders);
    /// More of them, while one still runs; not for ordered channels. The first one's number.
    u32 addSenders(u32 more);
    u32 senders() const { return senders_; }
    const ChannelShape& shape() const { return shape_; }

    // ---- Senders.
    /// False: no room for this sender; the waiter is woken later.
    bool roomOrPark(u32 sender, Waiter& waiter);
    void send(u32 sender, u32 from_node, u32 endpoint, u32 rows, Message message);
    void senderEnded(u32 sender);

    // ---- Receivers. `stream`: the sender's number of an ordered channel, else 0.
    enum class Taken : u8 { kBatch, kEmpty, kEnded };
    /// A batch is decoded and owned by `batch`.
    Result<Taken> take(u32 endpoint, u32 stream, ReceivedBatch& batch);
    /// True when take() would not say kEmpty.
    bool readyOrPark(u32 endpoint, u32 stream, Waiter& waiter);
    void waitReady(u32 endpoint, u32 stream);

    /// The endpoint wants no more: what lies there and what comes is dropped.
    void closeEndpoint(u32 endpoint);
    /// Nobody wants more, or the run ends: senders may end.
    bool closed() const { return open_endpoints_.load(std::memory_order_relaxed) == 0; }

    /// The run ends: everybody is woken, senders find room and receivers the end.
    void abandon();

    const ChannelCounters& counters() const { return counters_; }
    const ChannelCounters& countersOf(u32 node) const { return by_node_[node]; }

private:
    struct Queue {
        std::deque<Message> messages;
        u64 bytes = 0;
        std::vector<Waiter*> parked_senders;
        std::vector<Waiter*> parked_receivers;
    };
    struct Endpoint {
        std::vector<Queue> queues; // one, or one per sender
        Dictionaries dictionaries;
        bool closed = false;
    };

    u32 streamOf(u32 sender) const { return shape_.ordered ? sender : 0; }
    bool ended(u32 stream) const {
        return abandoned_ || (shape_.ordered ? ended_[stream] != 0 : running_ == 0);
    }
    static void moveWaiters(std::vector<Waiter*>& from, std::vector<Waiter*>& to);

    ChannelShape shape_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Endpoint> endpoints_;
    std::vector<u8> ended_; // by sender
    u32 senders_ = 0;
    u32 running_ = 0;
    bool abandoned_ = false;
    std::atomic<u32> open_endpoints_;
    ChannelCounters counters_;
    std::deque<ChannelCounters> by_node_;
};

} // namespace blueshift::exchange
