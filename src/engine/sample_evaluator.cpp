#include "engine/sample_evaluator.h"

#include "compile/compile.h"
#include "execute/expression/evaluator.h"
#include "storage/absent_column.h"
#include "storage/memory_segment.h"

namespace blueshift::engine {

std::optional<optimize::SampleEvaluator::Answer> StoredSampleEvaluator::passingRows(
    const catalog::Table& table, const Expr* predicate,
    std::span<const std::pair<ColumnId, u32>> columns) {
    if (!table.statistics || !table.statistics->sample) return std::nullopt;
    const storage::MemorySegment& sample = *table.statistics->sample;
    std::vector<compile::SlotInfo> slots;
    std::vector<const storage::MemorySegment::Column*> stored;
    std::vector<std::unique_ptr<storage::AbsentColumn>> absent(columns.size());
    for (const auto& [id, column_id] : columns) {
        const auto* column = sample.find(column_id);
        if (column == nullptr) { // added since the sample was drawn
            const catalog::Column* added = table.findColumn(column_id);
            if (added == nullptr) return std::nullopt;
            const PhysicalKind kind = naturalKind(added->type);
            absent[stored.size()] = std::make_unique<storage::AbsentColumn>(*added, kind);
            stored.push_back(nullptr);
            slots.push_back({.id = id,
                             .type = added->type,
                             .kind = kind,
                             .nullable = added->backfill == nullptr});
            continue;
        }
        stored.push_back(column);
        slots.push_back({.id = id,
                         .type = column->type,
                         .kind = column->kind,
                         .nullable = !column->validity.empty()});
    }
    Answer answer;
    try {
        Arena arena;
        const functions::SessionFacts session;
        functions::EvalContext context{.session = &session};
        execute::Evaluator evaluator(compile::compileExpression(predicate, slots, arena));
        std::vector<Vector> vectors(stored.size());
        u16 passed[kVectorRows + 64];
        for (u32 first = 0; first < sample.rows(); first += kVectorRows) {
            const u32 rows = std::min(sample.rows() - first, kVectorRows);
            for (size_t c = 0; c < stored.size(); ++c)
                vectors[c] =
                    stored[c] == nullptr ? absent[c]->vector() : sample.slice(*stored[c], first);
            const Batch batch{.rows = rows, .selected = rows, .columns = vectors};
            const u32 kept = evaluator.filter(batch, passed, context);
            if (context.failed()) return std::nullopt;
            answer.sampled += rows;
            answer.passed += kept;
        }
    } catch (const SqlError&) {
        return std::nullopt;
    }
    return answer;
}

} // namespace blueshift::engine
