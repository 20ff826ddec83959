// least_memory.h: what a program needs at least to finish by spilling.
//
// Place: asked before admission (QueryRun). A worker needs, for each operator that holds rows, room
// for one batch with what is made of it, or for reading three blocks back: MemoryBroker's least
// memory of a worker covers that for rows of ordinary width; what wider rows need comes on top.
// The messages in flight of the exchanges of one stage come on top as well, but for programs that
// hold no rows: those need not wait for anything.
// Not foreseen: long texts (kTextBytes are assumed), and states that must fit memory anyhow.
#pragma once

#include "compile/program.h"
#include "execute/memory/memory_broker.h"

namespace blueshift::execute {

/// Lanes of a pipeline that runs on `nodes` nodes, which share the threads.
inline u64 lanesOf(u32 nodes, u32 threads) {
    return u64((threads + nodes - 1) / nodes) * nodes;
}

/// False for results and what is sent away.
bool holdsRows(const compile::SinkInfo& info);

/// What an endpoint's queue of an exchange may hold before its senders park: at least, and where
/// there is room.
inline constexpr u64 kLeastCredit = 64 << 10;
u64 channelCredit(const MemoryBroker& broker);
/// What the messages in flight of an exchange take: credit, and what its senders have in hand.
u64 channelBytes(const compile::Program& program, u64 credit);

/// `threads`: of the pool, which all nodes share.
GrantRequest leastMemory(const compile::Program& program, u32 threads, const MemoryBroker& broker);

} // namespace blueshift::execute
