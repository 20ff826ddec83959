// canceled.h: the words of 57014, in one place.
//
// Place: whatever finds that its statement was told to stop: running queries, waits for locks and
// memory, COPY, ANALYZE, the encoders of storage. Those below the statement are given a
// CancelCheck.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace blueshift {

/// `while_doing`: " while ...", or nothing.
inline Error canceledError(bool timed_out, std::string_view while_doing = {}) {
    std::string message = timed_out ? "canceling statement due to statement timeout"
                                    : "canceling statement due to user request";
    return Error(sqlstate::kQueryCanceled, message.append(while_doing));
}

/// Asks whether the statement shall stop: the error with which it ends then. May be empty: never.
using CancelCheck = std::function<std::optional<Error>()>;

} // namespace blueshift
