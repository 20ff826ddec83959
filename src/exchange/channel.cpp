#include "exchange/channel.h"

#include "base/check.h"

namespace blueshift::exchange {

Channel::Channel(ChannelShape shape) : shape_(std::move(shape)), open_endpoints_(shape_.endpoints) {
    for (u32 i = 0; i < shape_.nodes; ++i) by_node_.emplace_back();
    for (u32 i = 0; i < shape_.endpoints; ++i)
        endpoints_.push_back(
            {.queues = std::vector<Queue>(1),
             .dictionaries = Dictionaries(shape_.first_dictionary_id + (u64{i} << 24))});
}

void Channel::expect(u32 senders) {
    const std::lock_guard lock(mutex_);
    senders_ = running_ = senders;
    ended_.assign(senders, 0);
    if (!shape_.ordered) return;
    for (Endpoint& endpoint : endpoints_) endpoint.queues = std::vector<Queue>(senders);
}

u32 Channel::addSenders(u32 more) {
    const std::lock_guard lock(mutex_);
    BS_CHECK(running_ > 0 && !shape_.ordered, "senders join those that run");
    const u32 first = senders_;
    senders_ += more;
    running_ += more;
    ended_.resize(senders_, 0);
    return first;
}

void Channel::moveWaiters(std::vector<Waiter*>& from, std::vector<Waiter*>& to) {
    to.insert(to.end(), from.begin(), from.end());
    from.clear();
}

bool Channel::roomOrPark(u32 sender, Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return true;
    for (Endpoint& endpoint : endpoints_) {
        Queue& queue = endpoint.queues[streamOf(sender)];
        if (queue.bytes < shape_.credit_bytes) continue;
        queue.parked_senders.push_back(&waiter);
        return false;
    }
    return true;
}

void Channel::send(u32 sender, u32 from_node, u32 endpoint, u32 rows, Message message) {
    const u64 moved = from_node != endpoint ? message.size() : 0;
    for (ChannelCounters* counters : {&counters_, &by_node_[from_node]}) {
        counters->messages.fetch_add(1, std::memory_order_relaxed);
        counters->rows.fetch_add(rows, std::memory_order_relaxed);
        counters->bytes.fetch_add(message.size(), std::memory_order_relaxed);
        counters->moved_bytes.fetch_add(moved, std::memory_order_relaxed);
    }
    Waiter* woken = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (abandoned_ || endpoints_[endpoint].closed) return;
        Queue& queue = endpoints_[endpoint].queues[streamOf(sender)];
        queue.bytes += message.size();
        queue.messages.push_back(std::move(message));
        if (!queue.parked_receivers.empty()) {
            woken = queue.parked_receivers.back();
            queue.parked_receivers.pop_back();
        }
        changed_.notify_all();
    }
    if (woken != nullptr) woken->wake();
}

void Channel::senderEnded(u32 sender) {
    std::vector<Waiter*> woken;
    {
        const std::lock_guard lock(mutex_);
        BS_CHECK(ended_[sender] == 0, "a sender ends once");
        ended_[sender] = 1;
        --running_;
        if (running_ == 0 || shape_.ordered)
            for (Endpoint& endpoint : endpoints_)
                moveWaiters(endpoint.queues[streamOf(sender)].parked_receivers, woken);
        changed_.notify_all();
    }
    for (Waiter* waiter : woken) waiter->wake();
}

Result<Channel::Taken> Channel::take(u32 endpoint, u32 stream, ReceivedBatch& batch) {
    std::vector<Waiter*> woken;
    Status opened;
    {
        const std::lock_guard lock(mutex_);
        Endpoint& from = endpoints_[endpoint];
        Queue& queue = from.queues[stream];
        if (abandoned_) return Taken::kEnded;
        if (queue.messages.empty()) return ended(stream) ? Taken::kEnded : Taken::kEmpty;
        Message message = std::move(queue.messages.front());
        queue.messages.pop_front();
        queue.bytes -= message.size();
        if (queue.bytes <= shape_.credit_bytes / 2) moveWaiters(queue.parked_senders, woken);
        opened = batch.open(std::move(message), shape_.kinds, from.dictionaries);
    }
    for (Waiter* waiter : woken) waiter->wake();
    if (!opened) return std::unexpected(std::move(opened.error()));
    if (Status decoded = batch.decode(); !decoded)
        return std::unexpected(std::move(decoded.error()));
    return Taken::kBatch;
}

bool Channel::readyOrPark(u32 endpoint, u32 stream, Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    Queue& queue = endpoints_[endpoint].queues[stream];
    if (!queue.messages.empty() || ended(stream)) return true;
    queue.parked_receivers.push_back(&waiter);
    return false;
}

void Channel::waitReady(u32 endpoint, u32 stream) {
    std::unique_lock lock(mutex_);
    Queue& queue = endpoints_[endpoint].queues[stream];
    changed_.wait(lock, [&] { return !queue.messages.empty() || ended(stream); });
}

void Channel::closeEndpoint(u32 number) {
    std::vector<Waiter*> woken;
    {
        const std::lock_guard lock(mutex_);
        Endpoint& endpoint = endpoints_[number];
        if (endpoint.closed || abandoned_) return;
        endpoint.closed = true;
        open_endpoints_.fetch_sub(1, std::memory_order_relaxed);
        for (Queue& queue : endpoint.queues) {
            queue.messages.clear();
            queue.bytes = 0;
            moveWaiters(queue.parked_senders, woken);
        }
    }
    for (Waiter* waiter : woken) waiter->wake();
}

void Channel::abandon() {
    std::vector<Waiter*> woken;
    {
        const std::lock_guard lock(mutex_);
        abandoned_ = true;
        open_endpoints_.store(0, std::memory_order_relaxed);
        for (Endpoint& endpoint : endpoints_) {
            for (Queue& queue : endpoint.queues) {
                queue.messages.clear();
                queue.bytes = 0;
                moveWaiters(queue.parked_senders, woken);
                moveWaiters(queue.parked_receivers, woken);
            }
        }
        changed_.notify_all();
    }
    for (Waiter* waiter : woken) waiter->wake();
}

} // namespace blueshift::exchange
