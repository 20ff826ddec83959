#include "functions/case_fold.h"

#include <unicode/ucasemap.h>

#include "functions/ascii.h"

namespace blueshift::functions {

std::string foldCase(std::string_view text) {
    if (isAscii(text)) return asciiLower(text);
    UErrorCode error = U_ZERO_ERROR;
    UCaseMap* map = ucasemap_open("", 0, &error);
    std::string folded(text.size() * 3 + 16, '\0');
    const int32_t bytes = ucasemap_utf8ToLower(map, folded.data(), int32_t(folded.size()),
                                               text.data(), int32_t(text.size()), &error);
    ucasemap_close(map);
    if (U_FAILURE(error)) return asciiLower(text);
    folded.resize(size_t(bytes));
    return folded;
}

} // namespace blueshift::functions
