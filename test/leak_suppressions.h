// leak_suppressions.h: what the leak checker must not report in test programs.
//
// Tests make the compiler inside the process crash on purpose; it cannot give back what it held
// then. Include in one file of a program. Without the sanitizer the function is never called.
#pragma once

extern "C" const char* __lsan_default_suppressions() { // NOLINT: the name is the sanitizer's
    return "leak:runClang\nleak:libclang-cpp\nleak:libLLVM\n";
}
