#include "types/value.h"

#include "types/text_view.h"

namespace blueshift {

int compareValues(const Value& a, const Value& b) {
    if (isFloat(a.type.kind)) {
        if (kernels::less(a.floating, b.floating)) return -1;
        return kernels::less(b.floating, a.floating);
    }
    if (isTextual(a.type.kind))
        return kernels::compareText(makeTextView(a.text), makeTextView(b.text));
    return a.integer < b.integer ? -1 : a.integer > b.integer;
}

bool sameValue(const Value& a, const Value& b) {
    if (a.type.kind != b.type.kind || a.is_null != b.is_null) return false;
    if (a.is_null) return true;
    return a.integer == b.integer && a.floating == b.floating && a.text == b.text;
}

} // namespace blueshift
