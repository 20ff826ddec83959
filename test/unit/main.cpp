// Entry point of every unit test binary.
// Crashes of the compiler inside are caught by its own handlers (compile/jit_test.cpp).
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "leak_suppressions.h"
