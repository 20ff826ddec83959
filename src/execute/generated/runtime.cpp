// What generated code calls: flat columns, the interpreter, groups, errors. See kernels/pipeline.h.
#include <cstring>

#include "execute/generated/generated_segment.h"
#include "execute/generated/segment_state.h"
#include "execute/group/group.h"
#include "execute/join/join_build.h"
#include "execute/join/scatter.h"
#include "functions/overflow.h"

namespace blueshift::execute {

namespace {

constexpr u64 kAllValid[kValidityWords] = {~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul,
                                           ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul};

SegmentState& stateOf(kernels::Frame* frame) {
    return *static_cast<SegmentState*>(frame->runtime);
}

/// Widens integers that arrive narrower than their slot.
void widenInto(const Vector& vector, PhysicalKind kind, const u16* rows, u32 count,
               VectorBuffer& out) {
    out.reset(kind);
    for (u32 i = 0; i < count; ++i) {
        const i128 value = vector.integerAt(rows[i]);
        std::memcpy(out.values<char>() + size_t(rows[i]) * widthOf(kind), &value, widthOf(kind));
    }
}

template <class Body> void guardedCall(kernels::Frame* frame, Body&& body) {
    SegmentState& state = stateOf(frame);
    try {
        body(state);
    } catch (const SqlError& error) {
        state.context->eval.fail(error.error());
    } catch (const std::exception& error) {
        state.context->eval.fail(sqlstate::kInternalError, error.what());
    }
    if (state.context->failed()) frame->failed = 1;
}

} // namespace

SegmentState::SegmentState(const compile::Segment& made_from) : segment(made_from) {
    const u32 slots = u32(segment.output.size());
    source.reset(slots);
    tuples.reset(slots);
    for (const auto& external : segment.externals)
        evaluators.push_back(std::make_unique<Evaluator>(external.expression));
    evaluated.resize(segment.externals.size());
    step_rows.resize(segment.counted_ops.size());
    sink_columns.resize(segment.sink_slots.size());
}

void SegmentState::Space::reset(u32 slots) {
    columns.resize(slots);
    rooms.resize(slots);
    flats.resize(slots);
    plain.resize(slots);
    is_plain.assign(slots, false);
}

void SegmentState::Space::forget() {
    is_plain.assign(is_plain.size(), false);
}

void SegmentState::Space::set(u32 slot, const Vector& vector) {
    columns[slot] = vector;
    is_plain[slot] = false;
}

kernels::Column SegmentState::Space::plainColumn(u32 slot, PhysicalKind kind, const u16* rows,
                                                 u32 count) {
    if (is_plain[slot]) return plain[slot];
    Vector vector = flatten(columns[slot], rows, count, flats[slot]);
    if (vector.kind != kind && isIntegerKind(kind)) {
        VectorBuffer wide;
        widenInto(vector, kind, rows, count, wide);
        const u64* validity = vector.validity;
        if (validity == flats[slot].validity()) {
            std::memcpy(wide.validity(), validity, sizeof kAllValid);
            validity = wide.validity();
        }
        flats[slot] = std::move(wide);
        vector = flats[slot].view(false);
        vector.validity = validity;
    }
    plain[slot] = {vector.data, vector.validity == nullptr ? kAllValid : vector.validity};
    is_plain[slot] = true;
    return plain[slot];
}

Batch SegmentState::batch() {
    Space& at = space();
    return {.rows = frame.in_tuples != 0 ? frame.tuples : frame.rows,
            .selected = liveCount(),
            .selection = liveRows() == kernels::bs_every_row.rows ? nullptr : liveRows(),
            .columns = at.columns};
}

Batch SegmentState::sinkBatch() {
    Batch result = batch();
    for (size_t i = 0; i < segment.sink_slots.size(); ++i)
        sink_columns[i] = result.columns[segment.sink_slots[i]];
    result.columns = sink_columns;
    return result;
}

compile::RowShapes rowShapes(const compile::Program& program) {
    compile::RowShapes shapes;
    for (const auto& info : program.sinks) {
        const bool build = std::holds_alternative<compile::BuildSink>(info.sink);
        const bool group = std::holds_alternative<compile::GroupSink>(info.sink);
        shapes.builds.push_back(build ? JoinBuild::shapeOf(info) : compile::BuildRowShape{});
        shapes.groups.push_back(group ? groupRowShape(info) : compile::GroupRowShape{});
    }
    return shapes;
}

} // namespace blueshift::execute

namespace blueshift::kernels {

using execute::guardedCall;
using execute::SegmentState;
using execute::stateOf;

namespace {
constexpr RowNumbers numberRows() {
    RowNumbers numbers{};
    for (u32 i = 0; i < kBatchRows; ++i) numbers.rows[i] = u16(i);
    return numbers;
}
} // namespace

extern "C" {

const RowNumbers bs_every_row = numberRows();

Column bs_column(Frame* frame, u32 slot) {
    SegmentState& state = stateOf(frame);
    return state.source.plainColumn(slot, state.segment.output[slot].kind, frame->selection,
                                    frame->selected);
}

Column bs_tuple_column(Frame* frame, u32 slot) {
    SegmentState& state = stateOf(frame);
    return state.tuples.plainColumn(slot, state.segment.output[slot].kind, frame->tuple_selection,
                                    frame->tuple_selected);
}

Column bs_evaluate(Frame* frame, u32 expression) {
    Column column{nullptr, execute::kAllValid};
    guardedCall(frame, [&](SegmentState& state) {
        const auto& external = state.segment.externals[expression];
        const Batch batch = state.batch();
        const Vector result = state.evaluators[expression]->evaluate(batch, state.context->eval);
        if (state.context->failed()) return;
        if (external.target != compile::kNoSlot) {
            state.space().set(external.target, result);
            return;
        }
        const Vector flat = execute::flatten(result, state.liveRows(), state.liveCount(),
                                             state.evaluated[expression]);
        column = {flat.data, flat.validity == nullptr ? execute::kAllValid : flat.validity};
    });
    return column;
}

Column bs_room(Frame* frame, u32 slot) {
    SegmentState& state = stateOf(frame);
    SegmentState::Space& space = state.space();
    VectorBuffer& room = space.rooms[slot];
    const auto& info = state.segment.output[slot];
    room.reset(info.kind);
    room.setAllValid();
    space.set(slot, room.view(info.nullable));
    return {room.data(), room.validity()};
}

void bs_take(Frame* frame, u32 slot, const u16* rows, u32 tuples) {
    SegmentState& state = stateOf(frame);
    state.tuples.set(slot, execute::takeRows(state.source.columns[slot], rows, tuples,
                                             state.tuples.rooms[slot]));
}

u8* bs_only_group(Frame* frame) {
    u8* group = nullptr;
    guardedCall(frame, [&](SegmentState& state) {
        group = state.groups->onlyGroup(state.sinkBatch(), *state.context);
    });
    return group;
}

void bs_number_groups(Frame* frame) {
    guardedCall(frame, [&](SegmentState& state) {
        execute::LocalGroups::Numbered found{};
        if (!state.groups->number(state.sinkBatch(), found, *state.context)) return;
        frame->numbers = found.numbers;
        frame->groups = found.groups;
        frame->group_count = found.group_count;
    });
}

GroupSlots bs_open_groups(Frame* frame) {
    GroupSlots slots{};
    guardedCall(frame, [&](SegmentState& state) {
        slots = state.groups->open(state.sinkBatch(), *state.context);
    });
    return slots;
}

void bs_find_groups(Frame* frame, const u64* hashes, u32 count, u8** rows) {
    stateOf(frame).groups->findFirst(hashes, count, rows);
}

void bs_add_groups(Frame* frame, GroupRuns* runs, u32 first) {
    guardedCall(frame, [&](SegmentState& state) {
        state.groups->addMissing(state.batch(), *runs, first, *state.context);
    });
}

const GroupIndex* bs_open_index(Frame* frame) {
    const GroupIndex* index = nullptr;
    guardedCall(frame, [&](SegmentState& state) {
        index = &state.groups->openIndex(state.sinkBatch(), *state.context);
    });
    return index;
}

void bs_add_indexed(Frame* frame, GroupRuns* runs, u32 first, u8** const* places) {
    guardedCall(frame, [&](SegmentState& state) {
        state.groups->addIndexed(state.batch(), *runs, first, places, *state.context);
    });
}

u64 bs_hash_text(const TextView* text) {
    return hashText(*text);
}

bool bs_equal_texts(const TextView* a, const TextView* b) {
    // Views of the same bytes are equal texts.
    return std::memcmp(a, b, sizeof(TextView)) == 0 || equal(*a, *b);
}

void bs_update_groups(Frame* frame) {
    guardedCall(frame, [&](SegmentState& state) {
        Batch batch = state.batch();
        batch.columns = state.sink_columns;
        state.groups->applyRest(batch, state.segment.fused_calls, *state.context);
    });
}

void bs_raise(Frame* frame, u32 operation, u32 flags) {
    guardedCall(frame, [&](SegmentState& state) {
        const compile::EvalNode& node = *state.segment.operations[operation];
        functions::raiseArithmetic(state.context->eval, node.type, node.function->op, flags);
    });
}

void bs_raise_second_row(Frame* frame) {
    guardedCall(frame, [](SegmentState& state) {
        state.context->eval.fail(sqlstate::kCardinalityViolation,
                                 "more than one row returned by a subquery used as an expression");
    });
}

// 128-bit arithmetic of compiler-rt and libgcc.
i128 __divti3(i128, i128);
i128 __modti3(i128, i128);
u128 __udivti3(u128, u128);
u128 __umodti3(u128, u128);
f64 __floattidf(i128);
f64 __floatuntidf(u128);
i128 __fixdfti(f64);
f64 rint(f64);
f64 floor(f64);
f64 ceil(f64);
} // extern "C"

} // namespace blueshift::kernels

namespace blueshift::execute {

namespace {

template <class F> const void* addressOf(F* function) {
    return reinterpret_cast<const void*>(function);
}

} // namespace

std::span<const RuntimeSymbol> runtimeSymbols() {
    using namespace kernels;
    static const RuntimeSymbol symbols[] = {
        {"bs_every_row", &bs_every_row},
        {"bs_column", addressOf(&bs_column)},
        {"bs_tuple_column", addressOf(&bs_tuple_column)},
        {"bs_evaluate", addressOf(&bs_evaluate)},
        {"bs_room", addressOf(&bs_room)},
        {"bs_take", addressOf(&bs_take)},
        {"bs_find_candidates", addressOf(&bs_find_candidates)},
        {"bs_add_candidates", addressOf(&bs_add_candidates)},
        {"bs_next_candidates", addressOf(&bs_next_candidates)},
        {"bs_only_group", addressOf(&bs_only_group)},
        {"bs_number_groups", addressOf(&bs_number_groups)},
        {"bs_open_groups", addressOf(&bs_open_groups)},
        {"bs_find_groups", addressOf(&bs_find_groups)},
        {"bs_add_groups", addressOf(&bs_add_groups)},
        {"bs_open_index", addressOf(&bs_open_index)},
        {"bs_add_indexed", addressOf(&bs_add_indexed)},
        {"bs_update_groups", addressOf(&bs_update_groups)},
        {"bs_hash_text", addressOf(&bs_hash_text)},
        {"bs_equal_texts", addressOf(&bs_equal_texts)},
        {"bs_raise", addressOf(&bs_raise)},
        {"bs_raise_second_row", addressOf(&bs_raise_second_row)},
        {"memcpy", addressOf(static_cast<void* (*)(void*, const void*, size_t)>(&std::memcpy))},
        {"memset", addressOf(static_cast<void* (*)(void*, int, size_t)>(&std::memset))},
        {"memcmp", addressOf(static_cast<int (*)(const void*, const void*, size_t)>(&std::memcmp))},
        {"__divti3", addressOf(&__divti3)},
        {"__modti3", addressOf(&__modti3)},
        {"__udivti3", addressOf(&__udivti3)},
        {"__umodti3", addressOf(&__umodti3)},
        {"__floattidf", addressOf(&__floattidf)},
        {"__floatuntidf", addressOf(&__floatuntidf)},
        {"__fixdfti", addressOf(&__fixdfti)},
        {"rint", addressOf(&rint)},
        {"floor", addressOf(&floor)},
        {"ceil", addressOf(&ceil)},
    };
    return symbols;
}

} // namespace blueshift::execute
