#include "execute/memory/least_memory.h"

#include <algorithm>

#include "execute/group/group_shape.h"

namespace blueshift::execute {
namespace {

constexpr u64 kTextBytes = 32;  // of a value, outside its row
constexpr u64 kTableBytes = 32; // of a row in a hash table that has just grown
constexpr u64 kSortBytes = 48;
constexpr u64 kJoinBytes = 40;
constexpr u64 kResultBytes = 17; // of a window call

u64 rowBytes(const RowLayout& layout) {
    u64 bytes = layout.rowBytes();
    for (u32 c = 0; c < layout.columnCount(); ++c)
        if (layout.kindOf(c) == PhysicalKind::kText) bytes += kTextBytes;
    return bytes;
}

u64 rowBytes(const compile::SinkInfo& info) {
    if (std::holds_alternative<compile::GroupSink>(info.sink)) {
        const GroupShape shape(info);
        u64 bytes = rowBytes(shape.layout) + kTableBytes;
        for (const DeferredShape& input : shape.deferred)
            bytes += rowBytes(input.layout) + kTableBytes;
        return bytes;
    }
    std::vector<RowColumn> columns;
    for (const auto& slot : info.input) columns.push_back({slot.kind, slot.nullable});
    const u64 bytes = rowBytes(RowLayout(columns, true, 8));
    if (std::holds_alternative<compile::SortSink>(info.sink)) return bytes + kSortBytes;
    if (std::holds_alternative<compile::BuildSink>(info.sink)) return bytes + kJoinBytes;
    if (const auto* window = std::get_if<compile::WindowSink>(&info.sink))
        return bytes + kSortBytes + window->calls.size() * kResultBytes;
    return bytes;
}

} // namespace

bool holdsRows(const compile::SinkInfo& info) {
    return !std::holds_alternative<compile::ResultSink>(info.sink) &&
           !std::holds_alternative<compile::SendSink>(info.sink);
}

u64 channelCredit(const MemoryBroker& broker) {
    return std::clamp<u64>(broker.limit() / 256, kLeastCredit, 4 << 20);
}

u64 channelBytes(const compile::Program& program, u64 credit) {
    constexpr u64 kInHand = 64 << 10; // a message of a sender or two
    // A queue per receiving node; one per sending node where senders are merged at the leader.
    return program.nodes * (credit + kInHand);
}

namespace {

/// Of the stage that ends with a pipeline: it receives, directly or through others.
u64 stageChannelBytes(const compile::Program& program, const compile::Pipeline& last) {
    const auto* receive = std::get_if<compile::ReceiveSource>(&last.source);
    if (receive == nullptr) return 0;
    const u32 exchange = receive->exchange;
    u64 bytes = channelBytes(program, kLeastCredit);
    for (const auto& pipeline : program.pipelines) {
        const auto* send = std::get_if<compile::SendSink>(&program.sinks[pipeline.sink].sink);
        if (send != nullptr && send->exchange == exchange)
            bytes += stageChannelBytes(program, pipeline);
    }
    return bytes;
}

} // namespace

GrantRequest leastMemory(const compile::Program& program, u32 threads, const MemoryBroker& broker) {
    GrantRequest request{.workers = threads};
    const u64 each = broker.workerMinimum(threads);
    for (const auto& info : program.sinks) {
        if (!holdsRows(info)) continue;
        ++request.operators;
        // Of a stage every node has a lane; what runs alone has one a thread, whatever its node.
        const u64 lanes = lanesOf(info.everywhere ? program.nodes : 1, threads);
        const u64 batch = rowBytes(info) * kVectorRows * 5 / 4;
        request.more_bytes += std::max(batch, each) * lanes - each * threads;
    }
    if (request.operators == 0) return request;
    u64 channels = 0;
    for (const auto& pipeline : program.pipelines)
        channels = std::max(channels, stageChannelBytes(program, pipeline));
    request.more_bytes += channels;
    return request;
}

} // namespace blueshift::execute
