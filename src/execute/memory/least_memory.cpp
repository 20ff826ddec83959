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

GrantRequest leastMemory(const compile::Program& program, u32 threads, const MemoryBroker& broker) {
    GrantRequest request{.workers = threads};
    const u64 each = broker.workerMinimum(threads);
    for (const auto& info : program.sinks) {
        if (!holdsRows(info)) continue;
        ++request.operators;
        // Of a stage every node has a lane; what runs alone has one a thread, whatever its node.
        const u32 nodes = info.everywhere ? program.nodes : 1;
        const u64 lanes = u64((threads + nodes - 1) / nodes) * nodes;
        const u64 batch = rowBytes(info) * kVectorRows * 5 / 4;
        request.more_bytes += std::max(batch, each) * lanes - each * threads;
    }
    return request;
}

} // namespace blueshift::execute
