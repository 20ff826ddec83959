// check.h: the four assertion words.
//
// BS_ASSERT: debug builds only, for invariants on hot paths. BS_CHECK: always; prints the condition
// and the text, then aborts. BS_UNREACHABLE: a branch that cannot be taken. BS_NOT_YET: SQLSTATE
// 0A000 to the user, for SQL that is understood and not built. User input never trips an assertion.
#pragma once

#include <string>

#include "base/error.h"

namespace blueshift {

[[noreturn]] void failCheck(const char* file, int line, const char* condition,
                            const std::string& detail);

} // namespace blueshift

#define BS_CHECK(condition, detail)                                           \
    do {                                                                      \
        if (!(condition)) [[unlikely]]                                        \
            ::blueshift::failCheck(__FILE__, __LINE__, #condition, (detail)); \
    } while (false)

#ifdef NDEBUG
#define BS_ASSERT(condition) ((void)sizeof(!(condition)))
#else
#define BS_ASSERT(condition) BS_CHECK(condition, "")
#endif

#define BS_UNREACHABLE(detail) ::blueshift::failCheck(__FILE__, __LINE__, "unreachable", (detail))

#define BS_NOT_YET(feature)                                                  \
    throw ::blueshift::SqlError(::blueshift::sqlstate::kFeatureNotSupported, \
                                std::string(feature) + " is not supported yet")
