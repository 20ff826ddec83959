// LISTAGG: the values of a group in order, with a delimiter between them, at most 65,535 bytes.
#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"

namespace blueshift::functions::aggregates {
namespace {

struct Listed {
    char* bytes = nullptr;
    u32 length = 0;
    u32 capacity = 0;
    u64 values = 0;
};

void appendBytes(Listed& state, std::string_view text, const AggregateCall& call) {
    if (text.empty() || call.context.failed()) return;
    const size_t length = state.length + text.size();
    if (length > size_t(kMaxVarcharBytes)) {
        call.context.fail(Error(sqlstate::kProgramLimitExceeded,
                                "result size exceeds LISTAGG limit of 65535 bytes")
                              .withHint("Group more finely, or shorten the listed values."));
        return;
    }
    if (length > state.capacity) {
        const u32 capacity =
            u32((std::max<size_t>(length, size_t(state.capacity) * 2) + 31) & ~31ull);
        char* bytes = static_cast<char*>(call.store.allocate(capacity));
        if (state.length > 0) std::memcpy(bytes, state.bytes, state.length);
        state.bytes = bytes;
        state.capacity = capacity;
    }
    std::memcpy(state.bytes + state.length, text.data(), text.size());
    state.length = u32(length);
}

void addValue(Listed& state, const AggregateCall& call, u32 row) {
    if (state.values > 0 && call.args.size() > 1 && !call.args[1].isNull(row)) {
        const TextView delimiter = call.args[1].valueAt<TextView>(row);
        appendBytes(state, asStringView(delimiter), call);
    }
    const TextView value = call.args[0].valueAt<TextView>(row);
    appendBytes(state, asStringView(value), call);
    ++state.values;
}

void init(u8* state) {
    new (state) Listed();
}
void update(const AggregateCall& call, const u16* rows, u8* const* states, u32 count) {
    for (u32 i = 0; i < count; ++i)
        addValue(*reinterpret_cast<Listed*>(states[i]), call, rows == nullptr ? i : rows[i]);
}
void updateOne(const AggregateCall& call, const u16* rows, u32 count, u8* state) {
    for (u32 i = 0; i < count; ++i)
        addValue(*reinterpret_cast<Listed*>(state), call, rows == nullptr ? i : rows[i]);
}
/// Only calls without an order are combined, and those without a delimiter are exact; callers that
/// split a group hand in the delimiter as args[1], a constant.
void combine(const AggregateCall& call, u8* into, const u8* from) {
    Listed& state = *reinterpret_cast<Listed*>(into);
    const Listed& other = *reinterpret_cast<const Listed*>(from);
    if (other.values == 0) return;
    if (state.values > 0 && call.args.size() > 1 && !call.args[1].isNull(0)) {
        const TextView delimiter = call.args[1].valueAt<TextView>(0);
        appendBytes(state, asStringView(delimiter), call);
    }
    appendBytes(state, {other.bytes, other.length}, call);
    state.values += other.values;
}
void finalize(const AggregateCall&, u8* const* states, u32 count, VectorBuffer& out,
              TextHeap& heap) {
    std::memset(out.validity(), 0, (count + 63) / 64 * 8);
    for (u32 i = 0; i < count; ++i) {
        const Listed& state = *reinterpret_cast<const Listed*>(states[i]);
        out.values<TextView>()[i] =
            state.values == 0 ? TextView{} : heap.store({state.bytes, state.length});
        if (state.values > 0) setBit(out.validity(), i);
    }
}

u64 storedBytes(const u8* state) {
    return reinterpret_cast<const Listed*>(state)->length;
}
void store(const u8* state, u8* out) {
    const Listed& listed = *reinterpret_cast<const Listed*>(state);
    if (listed.length > 0) std::memcpy(out, listed.bytes, listed.length);
}
void restore(u8* state, u8* at) {
    Listed& listed = *reinterpret_cast<Listed*>(state);
    listed.bytes = reinterpret_cast<char*>(at);
    listed.capacity = listed.length;
}

constexpr Aggregate kListagg = {.name = "listagg",
                                .state_bytes = sizeof(Listed),
                                .ordered = true,
                                .init = init,
                                .update = update,
                                .update_one = updateOne,
                                .combine = combine,
                                .finalize = finalize,
                                .stored_bytes = storedBytes,
                                .store = store,
                                .restore = restore};

} // namespace

const Aggregate* listagg() {
    return &kListagg;
}

} // namespace blueshift::functions::aggregates
