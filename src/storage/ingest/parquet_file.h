// parquet_file.h: reads the row groups of a Parquet file into batches of a table's types.
//
// Place: COPY FORMAT PARQUET. Arrow C++ decodes; its headers stay in the .cpp.
// Columns go by position, as in Redshift. Flat columns only.
// Threads: open once; readGroup() from several workers, a row group each.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "functions/text_input.h"
#include "storage/ingest/copy_format.h"
#include "types/vector.h"

namespace blueshift::storage {

class ParquetFile {
public:
    /// Checks the columns against the targets: 22P04 for damaged files, 42804 for types that do not
    /// go together. `fill_record`: columns that the file lacks at its end are NULL.
    static Result<std::unique_ptr<ParquetFile>> open(const std::string& path,
                                                     std::span<const TargetField> targets,
                                                     bool fill_record);
    ~ParquetFile();

    u32 rowGroups() const;
    /// Takes a batch and the rows of it that could not be converted (`line` is the row's number in
    /// the file); they are not selected. False: enough.
    using Sink = std::function<bool(const Batch& batch, std::vector<RowError>& errors)>;
    Status readGroup(u32 group, const TextFormat& format, const functions::InputOptions& options,
                     const Sink& sink) const;

private:
    struct State;
    explicit ParquetFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace blueshift::storage
