// load_errors.h: the rows that recent loads could not take, for STL_LOAD_ERRORS.
//
// Place: COPY adds to it, the system views read it. Kept in memory, the newest kKept of them.
// Threads: any.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "base/ints.h"

namespace blueshift::engine {

/// One row of STL_LOAD_ERRORS; text is cut to the widths of that view.
struct LoadError {
    i32 userid = 0;
    i32 slice = 0;
    i32 tbl = 0;
    i64 starttime = 0; // microseconds since 2000-01-01
    i32 session = 0;
    i32 query = 0;
    std::string filename;
    i64 line_number = 0;
    std::string colname;
    std::string type;
    std::string col_length;
    i32 position = 0;
    std::string raw_line;
    std::string raw_field_value;
    i32 err_code = 0;
    std::string err_reason;
    i64 start_offset = 0;
};

class LoadErrors {
public:
    static constexpr size_t kKept = 10'000;

    void add(LoadError error) {
        std::lock_guard lock(mutex_);
        if (errors_.size() == kKept) errors_.pop_front();
        errors_.push_back(std::move(error));
    }
    /// Number of the next load.
    i32 nextQuery() {
        std::lock_guard lock(mutex_);
        return ++query_;
    }
    /// Oldest first; `visit` must not call back.
    void forEach(const std::function<void(const LoadError&)>& visit) const {
        std::lock_guard lock(mutex_);
        for (const LoadError& error : errors_) visit(error);
    }

private:
    mutable std::mutex mutex_;
    std::deque<LoadError> errors_;
    i32 query_ = 0;
};

} // namespace blueshift::engine
