// basic_sources.h: scans of tables, system views, rows of VALUES.
#pragma once

#include "catalog/table_source.h"
#include "execute/operator.h"
#include "storage/storage.h"

namespace blueshift::execute {

/// `filters`: the program's join filters by index. The counters of the scan outlive it in `scan()`.
class TableScanSource final : public SourceOperator {
public:
    TableScanSource(const compile::ScanSource& spec, objects::ObjectStore& store,
                    storage::BlockCache& cache, std::span<JoinFilter* const> filters,
                    u32 vector_rows, storage::ScanShare share = {});

    u32 morselCount() const override { return scan_.morselCount(); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;
    const storage::TableScan& scan() const { return scan_; }

private:
    storage::TableScan scan_;
};

std::unique_ptr<SourceOperator> makeSystemSource(const compile::SystemSource& spec,
                                                 std::span<const compile::SlotInfo> slots,
                                                 const catalog::SourceContext& context);
std::unique_ptr<SourceOperator> makeValuesSource(const compile::ValuesSource& spec,
                                                 std::span<const compile::SlotInfo> slots);

} // namespace blueshift::execute
