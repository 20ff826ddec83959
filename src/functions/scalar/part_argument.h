// part_argument.h: the datepart argument of EXTRACT, DATE_TRUNC, DATEADD and their kin.
//
// Place: private to scalar/. A constant part, which is the rule, is looked up once a vector.
#pragma once

#include "functions/datetime_words.h"
#include "functions/scalar/rows.h"

namespace blueshift::functions {

class PartArgument {
public:
    explicit PartArgument(const LoopCall& call) : call_(call) {
        const Vector& names = call.args[0];
        constant_ = names.form == VectorForm::kConstant && !names.isNull(0);
        if (constant_) part_ = find(asStringView(names.valueAt<TextView>(0)));
    }
    /// Nothing (and an error in the context) when the name is unknown.
    std::optional<kernels::DatePart> at(u32 row) {
        if (!constant_) part_ = find(asStringView(call_.args[0].valueAt<TextView>(row)));
        return part_;
    }

private:
    std::optional<kernels::DatePart> find(std::string_view name) {
        const auto part = datePartFromName(name);
        if (!part)
            call_.context.fail(
                Error(sqlstate::kInvalidParameterValue,
                      "date part \"" + std::string(name.substr(0, 60)) + "\" is not known")
                    .withHint("Use a part such as year, month, day, hour or second."));
        return part;
    }

    const LoopCall& call_;
    bool constant_ = false;
    std::optional<kernels::DatePart> part_;
};

/// Runs f(part, row) for the rows whose arguments are all there.
template <class F> void partRows(const LoopCall& call, F f) {
    PartArgument parts(call);
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        bool null = false;
        for (const Vector& arg : call.args) null |= arg.isNull(row);
        if (null) continue;
        if (const auto part = parts.at(row)) f(*part, row);
    }
}

} // namespace blueshift::functions
