#include "execute/pipeline/exchange_operators.h"

#include <cstring>

namespace blueshift::execute {

using exchange::Channel;
using exchange::Message;
using optimize::ExchangeKind;

namespace {

std::vector<PhysicalKind> kindsOf(const compile::ExchangeInfo& info) {
    std::vector<PhysicalKind> kinds;
    for (const auto& slot : info.slots) kinds.push_back(slot.kind);
    return kinds;
}

Message copyOf(const Message& message) {
    Message copy(message.size());
    std::memcpy(copy.data(), message.data(), message.size());
    return copy;
}

} // namespace

// ---- Sending.

struct SendOperator::SenderState : State {
    u32 sender = 0;
    std::vector<exchange::MessageWriter> writers; // by endpoint; one for broadcasts
    std::vector<std::vector<u16>> rows;           // by endpoint
    u64 hashes[kVectorRows];
    u32 next_endpoint = 0; // round robin
};

SendOperator::SendOperator(const compile::SendSink& spec, const compile::ExchangeInfo& info,
                           ExchangeKind kind, Channel& channel, const cluster::BucketMap& buckets,
                           u32 node)
    : spec_(spec), info_(info), kind_(kind), channel_(channel), buckets_(buckets), node_(node) {}

std::unique_ptr<State> SendOperator::makeSender(u32 sender, WorkerContext& context) const {
    auto state = std::make_unique<SenderState>();
    state->sender = sender;
    const u32 endpoints = channel_.shape().endpoints;
    const u32 writers = kind_ == ExchangeKind::kBroadcast ? 1 : endpoints;
    for (u32 i = 0; i < writers; ++i)
        state->writers.emplace_back(kindsOf(info_), sender, context.vector_rows);
    state->rows.resize(endpoints);
    state->next_endpoint = sender % endpoints;
    return state;
}

std::unique_ptr<State> SendOperator::makeState(WorkerContext& context) {
    return makeSender(0, context);
}

void SendOperator::emit(SenderState& state, u32 endpoint, u32 rows, Message message) const {
    if (kind_ != ExchangeKind::kBroadcast) {
        channel_.send(state.sender, node_, endpoint, rows, std::move(message));
        return;
    }
    const u32 endpoints = channel_.shape().endpoints;
    for (u32 e = 1; e < endpoints; ++e)
        channel_.send(state.sender, node_, e, rows, copyOf(message));
    channel_.send(state.sender, node_, 0, rows, std::move(message));
}

void SendOperator::sendByHash(SenderState& state, const Batch& batch) const {
    bool combine = false;
    for (const compile::Slot key : spec_.keys) {
        bucketHashes(batch.columns[key], batch.selection, batch.selected, combine, state.hashes);
        combine = true;
    }
    for (auto& rows : state.rows) rows.clear();
    for (u32 i = 0; i < batch.selected; ++i)
        state.rows[buckets_.ownerOfHash(state.hashes[i])].push_back(u16(batch.rowAt(i)));
    for (u32 e = 0; e < state.rows.size(); ++e) {
        if (state.rows[e].empty()) continue;
        auto& writer = state.writers[e];
        writer.append(batch.columns, state.rows[e].data(), u32(state.rows[e].size()),
                      [&](Message m) { emit(state, e, writer.rows(), std::move(m)); });
    }
}

void SendOperator::consume(State& base, const Batch& batch, WorkerContext&) {
    auto& state = static_cast<SenderState&>(base);
    if (batch.selected == 0) return;
    if (kind_ == ExchangeKind::kHash) return sendByHash(state, batch);
    u32 endpoint = kind_ == ExchangeKind::kKeep ? node_ : 0;
    if (kind_ == ExchangeKind::kRoundRobin) {
        endpoint = state.next_endpoint;
        state.next_endpoint = (endpoint + 1) % channel_.shape().endpoints;
    }
    auto& writer = state.writers[endpoint];
    writer.append(batch.columns, batch.selection, batch.selected,
                  [&](Message m) { emit(state, endpoint, writer.rows(), std::move(m)); });
}

void SendOperator::flush(State& base, WorkerContext&) {
    auto& state = static_cast<SenderState&>(base);
    for (u32 e = 0; e < state.writers.size(); ++e) {
        auto& writer = state.writers[e];
        writer.flush([&](Message m) { emit(state, e, writer.rows(), std::move(m)); });
    }
}

// ---- Receiving.

bool ReceiveOperator::waits(const State& state) const {
    return static_cast<const ReceiveState&>(state).waits;
}
bool ReceiveOperator::readyOrPark(const State& state, exchange::Waiter& waiter) {
    return channel_.readyOrPark(node_, static_cast<const ReceiveState&>(state).stream, waiter);
}
void ReceiveOperator::waitReady(const State& state) {
    channel_.waitReady(node_, static_cast<const ReceiveState&>(state).stream);
}

namespace {

class PlainReceive final : public ReceiveOperator {
public:
    using ReceiveOperator::ReceiveOperator;

    struct OneBatch : ReceiveState {
        exchange::ReceivedBatch batch;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        return std::make_unique<OneBatch>();
    }
    bool next(State& base, Batch& batch, WorkerContext& context) override {
        auto& state = static_cast<OneBatch&>(base);
        const auto taken = channel_.take(node_, 0, state.batch);
        state.waits = taken && *taken == Channel::Taken::kEmpty;
        if (!taken) context.eval.fail(taken.error());
        if (!taken || *taken != Channel::Taken::kBatch) return false;
        batch = state.batch.batch();
        return true;
    }
};

/// NaN is the greatest float, as in a sort.
i32 compareValues(const Vector& a, u32 row_a, const Vector& b, u32 row_b) {
    if (a.kind == PhysicalKind::kText)
        return kernels::compareText(a.valueAt<TextView>(row_a), b.valueAt<TextView>(row_b));
    if (isIntegerKind(a.kind)) {
        const i128 x = a.integerAt(row_a);
        const i128 y = b.integerAt(row_b);
        return x < y ? -1 : x > y;
    }
    const auto number = [](const Vector& v, u32 row) {
        return v.kind == PhysicalKind::kF32 ? f64(v.valueAt<f32>(row)) : v.valueAt<f64>(row);
    };
    const f64 x = number(a, row_a);
    const f64 y = number(b, row_b);
    if (x != x || y != y) return i32(x != x) - i32(y != y);
    return x < y ? -1 : x > y;
}

/// Rows of a batch point into the messages of their senders, so a batch ends where one is used up.
class MergingReceive final : public ReceiveOperator {
public:
    MergingReceive(Channel& channel, u32 node, const std::vector<compile::SortKeySpec>& keys,
                   const compile::ExchangeInfo& info)
        : ReceiveOperator(channel, node, 1), keys_(keys), info_(info) {}

    struct Stream {
        exchange::ReceivedBatch batch;
        u32 row = 0;
        bool ended = false;
        bool used() const { return row == batch.rows(); }
    };
    struct MergeState : ReceiveState {
        std::vector<Stream> streams;
        std::vector<std::pair<u32, u32>> picked; // stream, row
        std::vector<VectorBuffer> buffers;
        std::vector<Vector> columns;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<MergeState>();
        state->streams.resize(channel_.senders());
        for (const auto& slot : info_.slots) state->buffers.emplace_back(slot.kind);
        state->columns.resize(info_.slots.size());
        return state;
    }

    bool next(State& base, Batch& batch, WorkerContext& context) override {
        auto& state = static_cast<MergeState&>(base);
        state.waits = false;
        if (!refill(state, context)) return false;
        pick(state, context.vector_rows);
        const u32 count = u32(state.picked.size());
        for (size_t c = 0; c < state.columns.size(); ++c) copyColumn(state, c);
        batch = {.rows = count, .selected = count, .columns = state.columns};
        return count > 0;
    }

private:
    bool refill(MergeState& state, WorkerContext& context) {
        for (u32 s = 0; s < state.streams.size(); ++s) {
            Stream& stream = state.streams[s];
            if (stream.ended || !stream.used()) continue;
            const auto taken = channel_.take(node_, s, stream.batch);
            if (!taken) {
                context.eval.fail(taken.error());
                return false;
            }
            if (*taken == Channel::Taken::kEmpty) {
                state.waits = true;
                state.stream = s;
                return false;
            }
            stream.ended = *taken == Channel::Taken::kEnded;
            stream.row = stream.ended ? stream.batch.rows() : 0;
        }
        return true;
    }

    bool before(const Stream& a, const Stream& b) const {
        for (const compile::SortKeySpec& key : keys_) {
            const Vector& x = a.batch.batch().columns[key.slot];
            const Vector& y = b.batch.batch().columns[key.slot];
            const bool x_null = x.isNull(a.row);
            const bool y_null = y.isNull(b.row);
            if (x_null != y_null) return x_null == key.nulls_first;
            if (x_null) continue;
            const i32 order = compareValues(x, a.row, y, b.row);
            if (order != 0) return key.descending ? order > 0 : order < 0;
        }
        return false;
    }

    void pick(MergeState& state, u32 most) const {
        state.picked.clear();
        while (state.picked.size() < most) {
            Stream* least = nullptr;
            for (Stream& stream : state.streams) {
                if (stream.ended) continue;
                if (least == nullptr || before(stream, *least)) least = &stream;
            }
            if (least == nullptr) return;
            state.picked.emplace_back(u32(least - state.streams.data()), least->row);
            if (++least->row == least->batch.rows()) return;
        }
    }

    void copyColumn(MergeState& state, size_t c) const {
        VectorBuffer& out = state.buffers[c];
        bool nulls = false;
        dispatchKind(out.kind(), [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            T* values = out.values<T>();
            for (u32 i = 0; i < state.picked.size(); ++i) {
                const auto [s, row] = state.picked[i];
                const Vector& from = state.streams[s].batch.batch().columns[c];
                if (from.isNull(row)) {
                    if (!nulls) out.setAllValid();
                    nulls = true;
                    clearBit(out.validity(), i);
                    values[i] = T{};
                } else {
                    values[i] = from.valueAt<T>(row);
                }
            }
        });
        state.columns[c] = out.view(nulls);
    }

    const std::vector<compile::SortKeySpec>& keys_;
    const compile::ExchangeInfo& info_;
};

} // namespace

std::unique_ptr<ReceiveOperator> makeReceive(const compile::ReceiveSource& spec,
                                             const compile::ExchangeInfo& info, Channel& channel,
                                             u32 node, u32 lanes) {
    if (info.merges) return std::make_unique<MergingReceive>(channel, node, spec.merge, info);
    return std::make_unique<PlainReceive>(channel, node, lanes);
}

} // namespace blueshift::execute
