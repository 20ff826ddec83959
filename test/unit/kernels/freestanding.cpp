// Compiled, never run, with the flags of the in-process compiler: no headers, exceptions or RTTI.
#include "kernels/bucket_hash.h"
#include "kernels/convert.h"
#include "kernels/datetime.h"
#include "kernels/decimal.h"
#include "kernels/pipeline.h"
#include "kernels/scalar.h"
#include "kernels/text.h"

static_assert(blueshift::kernels::powerOfTen(3) == 1000);
static_assert(blueshift::kernels::civilFromDays(0).year == 2000);

extern "C" long useKernels(long a, long b, unsigned* flags) {
    return blueshift::kernels::addChecked(a, b, *flags);
}
