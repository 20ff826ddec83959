#include "storage/statistics.h"

namespace blueshift::storage {

Result<std::shared_ptr<catalog::TableStatistics>> analyzeTable(
    objects::ObjectStore& store, BlockCache& cache, std::shared_ptr<const catalog::Table> table,
    const CancelCheck& cancelled) {
    ScanOptions options;
    std::vector<ColumnBuffer> buffers;
    for (const catalog::Column* column : table->liveColumns()) {
        options.columns.push_back(column->id);
        buffers.emplace_back(column->id, column->type);
    }
    StatisticsBuilder statistics(*table, mixHash(table->oid));
    const TableScan scan(store, cache, table, std::move(options));
    const auto state = scan.makeState();
    for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
        if (auto error = cancelled ? cancelled() : std::nullopt) return failure(std::move(*error));
        scan.start(*state, morsel);
        Batch batch;
        while (true) {
            BS_ASSIGN(const bool more, scan.next(*state, batch));
            if (!more) break;
            for (u32 c = 0; c < buffers.size(); ++c)
                BS_TRY(buffers[c].append(batch.columns[c], batch));
        }
        for (u32 c = 0; c < buffers.size(); ++c) statistics.addBuffer(c, buffers[c]);
        statistics.sampleRows(buffers);
        for (ColumnBuffer& buffer : buffers) buffer.clear();
    }
    return statistics.finish();
}

} // namespace blueshift::storage
