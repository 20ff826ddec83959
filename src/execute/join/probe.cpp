#include "execute/join/probe.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "execute/expression/evaluator.h"
#include "execute/join/scatter.h"
#include "execute/join/spilled_join.h"

namespace blueshift::execute {
namespace {

using optimize::JoinOutput;

/// At most this many probe rows with matches left are expanded instead of run in rounds.
constexpr u32 kExpandRows = 128;

class Probe final : public PartProbe {
public:
    Probe(const compile::StepInfo& info, const JoinBuild& build)
        : info_(info),
          spec_(std::get<compile::ProbeStep>(info.step)),
          slots_(info.output),
          build_(build) {}
    /// Rows whose build rows are on disk wait.
    Probe(const compile::StepInfo& info, JoinBuild& build, StepInput input) : Probe(info, build) {
        if (build.spilledMask() == 0) return;
        whole_ = &build;
        waiting_ = std::make_unique<WaitingProbes>(std::move(input));
    }

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, const Batch& input, WorkerContext& context) override;
    bool more(State& state, Batch& output, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    std::unique_ptr<SourceOperator> takeRest() override;
    u64 spilledBytes() const override { return waiting_ ? waiting_->file.bytesSpilled() : 0; }
    void startChunk(State& state, const Batch& input, const u64* matched, bool last_chunk,
                    WorkerContext& context) override;
    const u64* matched(const State& state) const override;

private:
    struct ProbeState;

    bool emitsMatches() const {
        return spec_.output == JoinOutput::kInner || spec_.output == JoinOutput::kProbeOuter ||
               spec_.output == JoinOutput::kBuildOuter || spec_.output == JoinOutput::kFullOuter ||
               spec_.output == JoinOutput::kProbeSingle;
    }
    /// One match decides: later ones add nothing.
    bool firstMatchDecides() const {
        return spec_.output == JoinOutput::kProbeSemi || spec_.output == JoinOutput::kProbeAnti ||
               spec_.output == JoinOutput::kProbeMark ||
               (build_.uniqueKeys() && spec_.residual.root == nullptr);
    }
    void lookup(ProbeState& state, WorkerContext& context) const;
    u32 setAside(ProbeState& state, u32 count, WorkerContext& context) const;
    bool round(ProbeState& state, Batch& output, WorkerContext& context) const;
    bool expand(ProbeState& state, Batch& output, WorkerContext& context) const;
    u32 compareKeys(ProbeState& state, u32 count, const u16* positions) const;
    bool last(ProbeState& state, Batch& output, WorkerContext& context) const;
    void emitRest(ProbeState& state, Batch& output, u32 count, const u16* rows,
                  bool null_build) const;
    void mark(ProbeState& state) const;
    void singleViolated(WorkerContext& context) const {
        context.eval.fail(sqlstate::kCardinalityViolation,
                          "more than one row returned by a subquery used as an expression");
    }

    const compile::StepInfo& info_;
    const compile::ProbeStep& spec_;
    const std::vector<compile::SlotInfo>& slots_;
    const JoinBuild& build_;
    JoinBuild* whole_ = nullptr;
    std::unique_ptr<WaitingProbes> waiting_;
};

struct Probe::ProbeState : State {
    explicit ProbeState(u32 keys) : hasher(keys) {}

    ColumnHasher hasher;
    std::unique_ptr<Evaluator> residual;
    std::vector<Vector> columns;       // of the output batch
    std::vector<VectorBuffer> buffers; // per output slot; used for build columns and marks
    std::vector<VectorBuffer> dense;   // per output slot; used by expand
    std::vector<Vector> dense_columns;
    Batch input;
    bool done = true;
    bool last_chunk = true;
    RowPages waiting; // rows whose build rows are on disk
    u16 staying[kVectorRows + 64];

    u32 active = 0;            // probe rows with candidates left
    u16 row[kVectorRows + 64]; // their rows
    u64 next[kVectorRows];     // their next candidate
    u64 end[kVectorRows];
    u64 hashes[kVectorRows];
    const u8* candidate[kVectorRows];
    u16 candidates[kVectorRows + 64];
    u16 positions[kVectorRows + 64];
    const u8* match_rows[kVectorRows];
    u16 selection[kVectorRows + 64];
    u64 matched[kValidityWords];
    u64 null_key[kValidityWords];
    std::vector<Vector> keys;
};

std::unique_ptr<State> Probe::makeState(WorkerContext&) {
    auto state = std::make_unique<ProbeState>(u32(spec_.keys.size()));
    if (spec_.residual.root != nullptr)
        state->residual = std::make_unique<Evaluator>(spec_.residual);
    state->columns.resize(slots_.size());
    state->buffers.resize(slots_.size());
    state->dense.resize(slots_.size());
    state->dense_columns.resize(slots_.size());
    state->keys.resize(spec_.keys.size());
    return state;
}

void Probe::start(State& base, const Batch& input, WorkerContext& context) {
    auto& state = static_cast<ProbeState&>(base);
    state.input = input;
    state.done = false;
    for (size_t i = 0; i < slots_.size(); ++i)
        state.columns[i] = i < input.columns.size() ? input.columns[i] : nullVector(slots_[i].kind);
    std::memset(state.matched, 0, sizeof state.matched);
    std::memset(state.null_key, 0, sizeof state.null_key);
    lookup(state, context);
}

void Probe::lookup(ProbeState& state, WorkerContext& context) const {
    const Batch& input = state.input;
    bool nullable = false;
    for (size_t k = 0; k < spec_.keys.size(); ++k) {
        state.keys[k] = input.columns[spec_.keys[k]];
        nullable |= state.keys[k].validity != nullptr;
    }
    u32 count = 0;
    for (u32 i = 0; i < input.selected; ++i) {
        const u32 row = input.rowAt(i);
        bool valid = true;
        if (nullable)
            for (const Vector& key : state.keys) valid &= !key.isNull(row);
        if (!valid) setBit(state.null_key, row);
        state.row[count] = u16(row);
        count += valid;
    }
    state.active = 0;
    if (build_.rowCount() == 0 && waiting_ == nullptr) return;
    state.hasher.hash(state.keys, state.row, count, state.hashes);
    if (waiting_ != nullptr) {
        count = setAside(state, count, context);
        if (build_.rowCount() == 0) return;
    }
    const kernels::JoinTable table = build_.table();
    u16 hits[kVectorRows];
    const u32 active =
        kernels::bs_find_candidates(&table, state.hashes, count, hits, state.next, state.end);
    for (u32 h = 0; h < active; ++h) {
        state.hashes[h] = state.hashes[hits[h]];
        state.row[h] = state.row[hits[h]];
    }
    state.active = active;
}

/// Rows whose build rows are on disk leave the batch; how many of the hashed rows stay.
u32 Probe::setAside(ProbeState& state, u32 count, WorkerContext& context) const {
    const u64 mask = build_.spilledMask();
    u64 waits[kValidityWords] = {};
    u16 rows[kVectorRows];
    u64 hashes[kVectorRows];
    u32 waiting = 0;
    u32 kept = 0;
    for (u32 i = 0; i < count; ++i) {
        const u16 row = state.row[i];
        const u64 hash = state.hashes[i];
        if ((mask >> partitionOf(hash) & 1) != 0) {
            setBit(waits, row);
            rows[waiting] = row;
            hashes[waiting++] = hash;
            continue;
        }
        state.row[kept] = row;
        state.hashes[kept++] = hash;
    }
    if (waiting == 0) return kept;
    waiting_->add(state.waiting, state.input, rows, waiting, hashes, context);
    u32 staying = 0;
    for (u32 i = 0; i < state.input.selected; ++i) {
        const u32 row = state.input.rowAt(i);
        state.staying[staying] = u16(row);
        staying += !bitAt(waits, row);
    }
    state.input.selection = state.staying;
    state.input.selected = staying;
    return kept;
}

void Probe::flush(State& base, WorkerContext& context) {
    if (waiting_ != nullptr) waiting_->write(static_cast<ProbeState&>(base).waiting, context);
}

std::unique_ptr<SourceOperator> Probe::takeRest() {
    if (waiting_ == nullptr || waiting_->empty() || whole_ == nullptr) return nullptr;
    return std::make_unique<SpilledJoinSource>(info_, *std::exchange(whole_, nullptr), *waiting_);
}

void Probe::startChunk(State& base, const Batch& input, const u64* matched, bool last_chunk,
                       WorkerContext& context) {
    start(base, input, context);
    auto& state = static_cast<ProbeState&>(base);
    std::memcpy(state.matched, matched, sizeof state.matched);
    state.last_chunk = last_chunk;
}

const u64* Probe::matched(const State& base) const {
    return static_cast<const ProbeState&>(base).matched;
}

/// Narrows state.candidates (indexes into state.candidate and `positions`) to rows with equal keys.
u32 Probe::compareKeys(ProbeState& state, u32 count, const u16* positions) const {
    for (size_t k = 0; k < spec_.keys.size() && count > 0; ++k)
        count = matchColumn(build_.layout(), u32(k), state.candidate, state.keys[k], positions,
                            state.candidates, count, false);
    return count;
}

bool Probe::round(ProbeState& state, Batch& output, WorkerContext& context) const {
    const bool decided = firstMatchDecides();
    while (state.active > 0) {
        if (context.failed()) return false;
        u32 count = 0;
        for (u32 i = 0; i < state.active; ++i) {
            state.candidate[i] = build_.rows()[state.next[i]];
            state.candidates[count] = u16(i);
            count += RowLayout::hashOf(state.candidate[i]) == state.hashes[i];
        }
        count = compareKeys(state, count, state.row);
        for (u32 i = 0; i < count; ++i) {
            state.positions[i] = state.row[state.candidates[i]];
            state.match_rows[i] = state.candidate[state.candidates[i]];
        }
        if (state.residual && count > 0) {
            for (const auto& [column, slot] : spec_.residual_columns) {
                VectorBuffer& buffer = state.buffers[slot];
                buffer.reset(build_.layout().kindOf(column));
                scatterColumn(build_.layout(), column, state.match_rows, state.positions, count,
                              buffer);
                state.columns[slot] = buffer.view(build_.layout().isNullable(column));
            }
            const Batch tested{.rows = state.input.rows,
                               .selected = count,
                               .selection = state.positions,
                               .columns = state.columns};
            const u32 kept = state.residual->filter(tested, state.selection, context.eval);
            if (context.failed()) return false;
            u32 next = 0;
            for (u32 i = 0; i < count && next < kept; ++i) {
                if (state.positions[i] != state.selection[next]) continue;
                state.positions[next] = state.positions[i];
                state.match_rows[next] = state.match_rows[i];
                ++next;
            }
            count = next;
        }
        for (u32 i = 0; i < count; ++i) {
            if (spec_.output == JoinOutput::kProbeSingle &&
                bitAt(state.matched, state.positions[i]))
                return singleViolated(context), false;
            setBit(state.matched, state.positions[i]);
            if (build_.keepsMatches()) build_.markMatched(const_cast<u8*>(state.match_rows[i]));
        }
        u32 kept = 0;
        for (u32 i = 0; i < state.active; ++i) {
            const u64 next = state.next[i] + 1;
            const bool go_on =
                next < state.end[i] && !(decided && bitAt(state.matched, state.row[i]));
            state.next[kept] = next;
            state.end[kept] = state.end[i];
            state.hashes[kept] = state.hashes[i];
            state.row[kept] = state.row[i];
            kept += go_on;
        }
        state.active = kept;
        if (count > 0 && emitsMatches()) {
            for (const auto& [column, slot] : spec_.build_columns) {
                VectorBuffer& buffer = state.buffers[slot];
                buffer.reset(build_.layout().kindOf(column));
                scatterColumn(build_.layout(), column, state.match_rows, state.positions, count,
                              buffer);
                state.columns[slot] = buffer.view(build_.layout().isNullable(column));
            }
            std::memcpy(state.selection, state.positions, count * sizeof(u16));
            output = {.rows = state.input.rows,
                      .selected = count,
                      .selection = state.selection,
                      .columns = state.columns};
            return true;
        }
        if (!decided && state.active > 0 && state.active <= kExpandRows && emitsMatches())
            return false;
    }
    return false;
}

/// Takes up to a vector of candidates of the remaining rows and makes a dense batch of the matches.
bool Probe::expand(ProbeState& state, Batch& output, WorkerContext& context) const {
    while (state.active > 0) {
        if (context.failed()) return false;
        u32 count = 0;
        u32 kept = 0;
        u16 owners[kVectorRows];
        for (u32 i = 0; i < state.active; ++i) {
            u64 next = state.next[i];
            for (; next < state.end[i] && count < kVectorRows; ++next) {
                state.candidate[count] = build_.rows()[next];
                owners[count] = state.row[i];
                state.candidates[count] = u16(count);
                ++count;
            }
            state.next[kept] = next;
            state.end[kept] = state.end[i];
            state.hashes[kept] = state.hashes[i];
            state.row[kept] = state.row[i];
            kept += next < state.end[i];
        }
        state.active = kept;
        u32 matches = compareKeys(state, count, owners);
        for (u32 i = 0; i < matches; ++i) {
            state.positions[i] = owners[state.candidates[i]];
            state.match_rows[i] = state.candidate[state.candidates[i]];
        }
        if (matches == 0) continue;
        const auto fill = [&](u32 rows) {
            for (size_t slot = 0; slot < state.input.columns.size(); ++slot)
                state.dense_columns[slot] =
                    takeRows(state.input.columns[slot], state.positions, rows, state.dense[slot]);
            for (const auto& list : {spec_.build_columns, spec_.residual_columns})
                for (const auto& [column, slot] : list) {
                    state.dense[slot].reset(build_.layout().kindOf(column));
                    state.dense_columns[slot] = gatherColumn(
                        build_.layout(), column, state.match_rows, rows, state.dense[slot]);
                }
        };
        for (size_t slot = 0; slot < slots_.size(); ++slot)
            state.dense_columns[slot] = nullVector(slots_[slot].kind);
        fill(matches);
        output = {.rows = matches, .selected = matches, .columns = state.dense_columns};
        if (state.residual) {
            output.selected = state.residual->filter(output, state.selection, context.eval);
            output.selection = state.selection;
            if (context.failed()) return false;
        }
        for (u32 i = 0; i < output.selected; ++i) {
            const u32 at = output.rowAt(i);
            if (spec_.output == JoinOutput::kProbeSingle &&
                bitAt(state.matched, state.positions[at]))
                return singleViolated(context), false;
            setBit(state.matched, state.positions[at]);
            if (build_.keepsMatches()) build_.markMatched(const_cast<u8*>(state.match_rows[at]));
        }
        if (output.selected > 0) return true;
    }
    return false;
}

void Probe::emitRest(ProbeState& state, Batch& output, u32 count, const u16* rows,
                     bool null_build) const {
    if (null_build)
        for (const auto& [column, slot] : spec_.build_columns)
            state.columns[slot] = nullVector(slots_[slot].kind);
    output = {
        .rows = state.input.rows, .selected = count, .selection = rows, .columns = state.columns};
}

void Probe::mark(ProbeState& state) const {
    VectorBuffer& buffer = state.buffers[spec_.mark];
    buffer.reset(PhysicalKind::kI8);
    buffer.setAllValid();
    i8* values = buffer.values<i8>();
    for (u32 i = 0; i < state.input.selected; ++i) {
        const u32 row = state.input.rowAt(i);
        values[row] = bitAt(state.matched, row);
        if (values[row] != 0 || !spec_.null_aware) continue;
        const bool unknown =
            build_.sawNullKey() || (bitAt(state.null_key, row) && build_.sawRows());
        if (unknown) clearBit(buffer.validity(), row);
    }
    state.columns[spec_.mark] = buffer.view(spec_.null_aware);
}

/// What comes after all matches: unmatched rows of outer joins, the rows of semi, anti and mark.
bool Probe::last(ProbeState& state, Batch& output, WorkerContext&) const {
    if (state.done) return false;
    state.done = true;
    if (!state.last_chunk) return false;
    u32 count = 0;
    const auto select = [&](auto&& wanted) {
        for (u32 i = 0; i < state.input.selected; ++i) {
            const u32 row = state.input.rowAt(i);
            state.selection[count] = u16(row);
            count += wanted(row);
        }
    };
    switch (spec_.output) {
    case JoinOutput::kProbeOuter:
    case JoinOutput::kFullOuter:
    case JoinOutput::kProbeSingle:
        select([&](u32 row) { return !bitAt(state.matched, row); });
        emitRest(state, output, count, state.selection, true);
        return count > 0;
    case JoinOutput::kProbeSemi: select([&](u32 row) { return bitAt(state.matched, row); }); break;
    case JoinOutput::kProbeAnti:
        if (spec_.null_aware_anti && build_.sawNullKey()) return false;
        select([&](u32 row) {
            if (spec_.null_aware_anti && build_.sawRows() && bitAt(state.null_key, row))
                return false;
            return !bitAt(state.matched, row);
        });
        break;
    case JoinOutput::kProbeMark:
        mark(state);
        select([](u32) { return true; });
        break;
    default: return false;
    }
    emitRest(state, output, count, state.selection, false);
    return count > 0;
}

bool Probe::more(State& base, Batch& output, WorkerContext& context) {
    auto& state = static_cast<ProbeState&>(base);
    if (state.done) return false;
    const bool expands =
        emitsMatches() && state.active > 0 && state.active <= kExpandRows && !firstMatchDecides();
    if (!expands && round(state, output, context)) return true;
    if (context.failed()) return false;
    if (state.active > 0 && expand(state, output, context)) return true;
    if (context.failed()) return false;
    return last(state, output, context);
}

} // namespace

std::unique_ptr<PartProbe> makePartProbe(const compile::StepInfo& info, const JoinBuild& part) {
    return std::make_unique<Probe>(info, part);
}

std::unique_ptr<StepOperator> makeProbe(const compile::StepInfo& info, JoinBuild& build,
                                        StepInput input) {
    return std::make_unique<Probe>(info, build, std::move(input));
}

} // namespace blueshift::execute
