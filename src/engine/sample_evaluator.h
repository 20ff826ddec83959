// sample_evaluator.h: runs a predicate over a table's stored sample for the optimiser.
#pragma once

#include "optimize/optimize.h"

namespace blueshift::engine {

class StoredSampleEvaluator final : public optimize::SampleEvaluator {
public:
    /// Errors of the predicate count as "did not pass": planning never fails on a sample.
    std::optional<Answer> passingRows(const catalog::Table& table, const Expr* predicate,
                                      std::span<const std::pair<ColumnId, u32>> columns) override;
};

} // namespace blueshift::engine
