// statistics.h: builds sketches, ranges and a uniform sample of rows as they pass.
//
// Place: TableWriter (rows appended) and analyzeTable (rows scanned) share it.
// Sample: reservoir of up to kSampleRows rows; rows to take are drawn by skips (Li 1994, algorithm
// L), so that a passed-over row costs nothing.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "storage/storage.h"
#include "storage/write/column_buffer.h"

namespace blueshift::storage {

inline constexpr u32 kSampleRows = 2048;

/// Extends `into` to cover `other`; `kind` is the column's natural kind. `first`: into is empty.
void mergeRange(catalog::ColumnRange& into, const catalog::ColumnRange& other, PhysicalKind kind,
                bool first);

/// Which of a stream of rows make up a uniform sample of fixed size.
class Reservoir {
public:
    explicit Reservoir(u64 seed) : random_(seed) {}
    /// Passes `rows` more rows; calls take(slot, row) with row < rows for each one sampled. A slot
    /// may be taken again later: the last one counts.
    template <class Take> void pass(u64 rows, Take&& take) {
        const u64 end = seen_ + rows;
        for (u64 row = seen_; row < end && row < kSampleRows; ++row) take(u32(row), row - seen_);
        if (end > kSampleRows && next_ == 0) {
            next_ = kSampleRows - 1;
            advance();
        }
        while (next_ != 0 && next_ < end) {
            take(u32(random_() % kSampleRows), next_ - seen_);
            advance();
        }
        seen_ = end;
    }
    u64 seen() const { return seen_; }

private:
    void advance();
    f64 draw() { return (f64(random_() >> 11) + 0.5) * 0x1p-53; }

    std::mt19937_64 random_;
    u64 seen_ = 0;
    u64 next_ = 0; // position of the next row to take; 0: the reservoir is not full yet
    f64 weight_ = 1;
};

class StatisticsBuilder {
public:
    StatisticsBuilder(const catalog::Table& table, u64 seed);

    HyperLogLog& sketch(u32 column) { return columns_[column].sketch; }
    /// Counts of rows that the caller sketched itself.
    void addRange(u32 column, const catalog::ColumnRange& range, u64 rows, u64 text_bytes);
    /// Draws the sample from rows that lie in buffers, one a live column. Counts the rows.
    void sampleRows(std::span<const ColumnBuffer> buffers);
    /// Sketches, ranges and counts of all rows of a buffer.
    void addBuffer(u32 column, const ColumnBuffer& buffer);

    u64 rows() const { return reservoir_.seen(); }
    std::shared_ptr<catalog::TableStatistics> finish();

private:
    struct ColumnState {
        u32 column_id = 0;
        PhysicalKind kind = PhysicalKind::kI64;
        HyperLogLog sketch;
        catalog::ColumnRange range;
        u64 rows = 0;
        u64 text_bytes = 0;
        bool has_nan = false;
    };
    std::vector<ColumnState> columns_;
    Reservoir reservoir_;
    std::vector<ColumnBuffer> sample_;
};

/// Exact range of a buffer's rows, and its values into the sketch.
catalog::ColumnRange summarize(const ColumnBuffer& buffer, HyperLogLog& sketch);

} // namespace blueshift::storage
