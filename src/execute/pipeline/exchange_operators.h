// exchange_operators.h: the two ends of a channel as operators: a sink that sends, a source that
// receives.
//
// Place: made per node by node_operators.cpp from SendSink and ReceiveSource; RunTask parks lanes
// that find no room or no rows. Threads: a sender's state is one lane's; the channel is shared.
#pragma once

#include "cluster/bucket_map.h"
#include "exchange/channel.h"
#include "execute/operator.h"

namespace blueshift::execute {

class SendOperator final : public SinkOperator {
public:
    /// `kind`: the exchange's, settled.
    SendOperator(const compile::SendSink& spec, const compile::ExchangeInfo& info,
                 optimize::ExchangeKind kind, exchange::Channel& channel,
                 const cluster::BucketMap& buckets, u32 node);

    /// `sender`: the lane's number in the channel.
    std::unique_ptr<State> makeSender(u32 sender, WorkerContext& context) const;
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    exchange::Channel& channel() const { return channel_; }

private:
    struct SenderState;

    void sendByHash(SenderState& state, const Batch& batch) const;
    void emit(SenderState& state, u32 endpoint, u32 rows, exchange::Message message) const;

    const compile::SendSink& spec_;
    const compile::ExchangeInfo& info_;
    optimize::ExchangeKind kind_;
    exchange::Channel& channel_;
    const cluster::BucketMap& buckets_;
    u32 node_;
};

/// Batches as they come, or merged by keys from senders that are sorted.
class ReceiveOperator : public SourceOperator {
public:
    ReceiveOperator(exchange::Channel& channel, u32 node, u32 lanes)
        : channel_(channel), node_(node), lanes_(lanes) {}

    u32 morselCount() const override { return lanes_; }
    void start(State&, u32, WorkerContext&) override {}
    bool waits(const State& state) const override;
    /// False: the waiter is woken when rows have come.
    bool readyOrPark(const State& state, exchange::Waiter& waiter);
    /// Blocks; only for the client's thread.
    void waitReady(const State& state);
    /// No lane wants more.
    void close() { channel_.closeEndpoint(node_); }

protected:
    struct ReceiveState : State {
        bool waits = false;
        u32 stream = 0; // for which it waits
    };
    exchange::Channel& channel_;
    u32 node_;
    u32 lanes_;
};

std::unique_ptr<ReceiveOperator> makeReceive(const compile::ReceiveSource& spec,
                                             const compile::ExchangeInfo& info,
                                             exchange::Channel& channel, u32 node, u32 lanes);

} // namespace blueshift::execute
