// field_convert.h: fields of text become values of a column, 1,024 at a time.
//
// Place: second pass of text_rows.h. Plain spellings of integers, decimals, dates and timestamps
// are read by loops of their own; everything else goes through functions/text_input.h, which also
// decides what is wrong.
#pragma once

#include "functions/text_input.h"
#include "storage/ingest/split_records.h"

namespace blueshift::storage {

/// Why a field could not be loaded: the code and wording of Redshift's load errors, and SQLSTATE.
struct FieldFault {
    i32 code = 0;
    std::string reason;
    std::string_view sqlstate;
    std::string hint;
};

class FieldConverter {
public:
    FieldConverter(const TextFormat& format, const functions::InputOptions& options,
                   functions::TextHeap& heap, bool checked_text)
        : format_(format), options_(options), heap_(heap), checked_text_(checked_text) {}

    /// Fills `out` from column `column` of the records. `skip` has a bit for each row that is
    /// already known as bad; rows that fail get theirs. Calls `failed(row, fault)` for those.
    /// Returns whether there are NULLs.
    template <class Failed>
    bool convert(const SplitRecords& records, u32 column, const TargetField& target,
                 VectorBuffer& out, u64* skip, Failed&& failed) {
        column_ = column;
        out.setAllValid();
        bool nulls = false;
        for (u32 row = convertPlain(records, column, target, out, skip, nulls);
             row < records.rows(); row = convertPlain(records, column, target, out, skip, nulls)) {
            setBit(skip, row);
            failed(row, fault_);
        }
        return nulls;
    }

private:
    u32 convertPlain(const SplitRecords& records, u32 column, const TargetField& target,
                     VectorBuffer& out, u64* skip, bool& nulls);
    template <class Store>
    u32 loop(const SplitRecords& records, const TargetField& target, VectorBuffer& out,
             const u64* skip, bool& nulls, Store&& store);
    bool isNull(const FieldRef& field, std::string_view text, bool textual) const;
    bool storeText(std::string_view text, const TargetField& target, TextView& slot);
    bool storeSlowly(std::string_view text, const TargetField& target, VectorBuffer& out, u32 row,
                     bool& null);
    bool storeByPattern(std::string_view text, const TargetField& target, VectorBuffer& out,
                        u32 row);
    bool describe(functions::InputError error, std::string_view text, const SqlType& type);
    bool fault(i32 code, std::string_view state, std::string reason, std::string hint);

    const TextFormat& format_;
    const functions::InputOptions& options_;
    functions::TextHeap& heap_;
    bool checked_text_;
    u32 column_ = 0;
    u32 next_row_ = 0;
    FieldFault fault_;
};

} // namespace blueshift::storage
