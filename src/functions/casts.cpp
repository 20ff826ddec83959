#include "functions/casts.h"

#include <algorithm>

#include "functions/cast_rows.h"

namespace blueshift::functions {

namespace {

constexpr Function makeSafe(VectorLoop loop, Volatility volatility = Volatility::kImmutable) {
    return {.name = "cast",
            .op = Operator::kCast,
            .volatility = volatility,
            .leak_proof = true,
            .loop = loop};
}
constexpr Function makeFailing(VectorLoop loop, Volatility volatility = Volatility::kImmutable) {
    return {.name = "cast",
            .op = Operator::kCast,
            .volatility = volatility,
            .can_fail = true,
            .loop = loop};
}
constexpr Function makeTry(VectorLoop loop, Volatility volatility = Volatility::kImmutable) {
    return {.name = "try_cast",
            .op = Operator::kCast,
            .null_policy = NullPolicy::kStrictMayNull,
            .volatility = volatility,
            .loop = loop};
}

/// The forms of one conversion that may fail.
struct Forms {
    Function run;
    Function attempt;
};
constexpr auto kStable = Volatility::kStable;

constexpr Function kIntegerWiden = makeSafe(castIntegerLoop<OnFailure::kNever>);
constexpr Forms kInteger{makeFailing(castIntegerLoop<OnFailure::kRaise>),
                         makeTry(castIntegerLoop<OnFailure::kNull>)};
constexpr Function kRescaleSafe = makeSafe(castRescaleRoundLoop<OnFailure::kNever>);
constexpr Forms kRescaleRound{makeFailing(castRescaleRoundLoop<OnFailure::kRaise>),
                              makeTry(castRescaleRoundLoop<OnFailure::kNull>)};
constexpr Forms kRescale{makeFailing(castRescaleLoop<OnFailure::kRaise>),
                         makeTry(castRescaleLoop<OnFailure::kNull>)};
constexpr Function kIntegerToFloat = makeSafe(castIntegerToFloatLoop);
constexpr Forms kFloatToInteger{makeFailing(castFloatToIntegerLoop<OnFailure::kRaise>),
                                makeTry(castFloatToIntegerLoop<OnFailure::kNull>)};
constexpr Function kFloatWiden = makeSafe(castFloatToFloatLoop<OnFailure::kNever>);
constexpr Forms kFloatToReal{makeFailing(castFloatToFloatLoop<OnFailure::kRaise>),
                             makeTry(castFloatToFloatLoop<OnFailure::kNull>)};
constexpr Function kToBoolean = makeSafe(castToBooleanLoop);

constexpr Function kText = makeSafe(castTextLoop);
constexpr Function kTextCut = makeSafe(castTextCutLoop);
constexpr Forms kTextLimit{makeFailing(castTextLimitLoop<OnFailure::kRaise>),
                           makeTry(castTextLimitLoop<OnFailure::kNull>)};
constexpr Forms kFromText{makeFailing(castFromTextLoop<OnFailure::kRaise>),
                          makeTry(castFromTextLoop<OnFailure::kNull>)};
constexpr Forms kFromTextStable{makeFailing(castFromTextLoop<OnFailure::kRaise>, kStable),
                                makeTry(castFromTextLoop<OnFailure::kNull>, kStable)};
constexpr Function kToTextCut = makeSafe(castToTextCutLoop);
constexpr Function kToTextCutStable = makeSafe(castToTextCutLoop, kStable);
constexpr Forms kToTextLimit{makeFailing(castToTextLimitLoop<OnFailure::kRaise>),
                             makeTry(castToTextLimitLoop<OnFailure::kNull>)};
constexpr Forms kToTextLimitStable{makeFailing(castToTextLimitLoop<OnFailure::kRaise>, kStable),
                                   makeTry(castToTextLimitLoop<OnFailure::kNull>, kStable)};

constexpr Function kTimesSafe = makeSafe(castTimesLoop<OnFailure::kNever>);
constexpr Function kTimesZoned = makeSafe(castTimesLoop<OnFailure::kNever>, kStable);
constexpr Forms kTimes{makeFailing(castTimesLoop<OnFailure::kRaise>),
                       makeTry(castTimesLoop<OnFailure::kNull>)};
constexpr Forms kTimesZonedFailing{makeFailing(castTimesLoop<OnFailure::kRaise>, kStable),
                                   makeTry(castTimesLoop<OnFailure::kNull>, kStable)};

bool isOidLike(TypeKind kind) {
    return kind == TypeKind::kOid || kind == TypeKind::kRegclass || kind == TypeKind::kRegtype;
}
bool isZoned(TypeKind kind) {
    return kind == TypeKind::kTimestampTz || kind == TypeKind::kTimeTz;
}
/// The text of such a value depends on the session or the catalog.
bool hasSessionText(TypeKind kind) {
    return isZoned(kind) || kind == TypeKind::kRegclass || kind == TypeKind::kRegtype;
}

int integerDigits(TypeKind kind) {
    return kind == TypeKind::kSmallInt  ? 5
           : kind == TypeKind::kBigInt  ? 19
           : kind == TypeKind::kBoolean ? 1
                                        : 10;
}

const Function* choose(const Forms& forms, CastForm form) {
    return form == CastForm::kTry ? &forms.attempt : &forms.run;
}

const Function* numericCast(const SqlType& from, const SqlType& to, CastForm form) {
    if (isFloat(from.kind)) {
        if (isFloat(to.kind))
            return to.kind == TypeKind::kDouble || from.kind == TypeKind::kReal
                       ? &kFloatWiden
                       : choose(kFloatToReal, form);
        return choose(kFloatToInteger, form);
    }
    if (isFloat(to.kind)) return &kIntegerToFloat;
    if (from.kind != TypeKind::kDecimal && to.kind != TypeKind::kDecimal) {
        const bool widens = widthOf(naturalKind(from)) <= widthOf(naturalKind(to));
        return widens ? &kIntegerWiden : choose(kInteger, form);
    }
    if (to.kind == TypeKind::kDecimal) {
        const int digits = from.kind == TypeKind::kDecimal ? from.precision - from.scale
                                                           : integerDigits(from.kind);
        const int scale = from.kind == TypeKind::kDecimal ? from.scale : 0;
        if (to.scale >= scale && to.precision - to.scale >= digits) return &kRescaleSafe;
    }
    return choose(form == CastForm::kAssignment ? kRescaleRound : kRescale, form);
}

const Function* textCast(const SqlType& from, const SqlType& to, CastForm form) {
    if (to.kind != TypeKind::kChar && to.kind != TypeKind::kVarchar && to.kind != TypeKind::kName)
        return &kText;
    const bool fits = (from.kind == TypeKind::kChar || from.kind == TypeKind::kVarchar) &&
                      to.kind == TypeKind::kVarchar && from.length > 0 &&
                      (to.length == 0 || from.length <= to.length);
    if (fits) return &kText;
    if (to.kind == TypeKind::kName || form != CastForm::kAssignment) return &kTextCut;
    return choose(kTextLimit, form);
}

/// From date or time to date or time; nullptr where there is none.
const Function* timesCast(const SqlType& from, const SqlType& to, CastForm form) {
    using K = TypeKind;
    const K a = from.kind;
    const K b = to.kind;
    const bool zoned = isZoned(a) || isZoned(b);
    const Function* safe = zoned ? &kTimesZoned : &kTimesSafe;
    if (a == K::kDate && (b == K::kTimestamp || b == K::kTimestampTz)) return safe;
    if (a == K::kTimestamp || a == K::kTimestampTz) {
        if (b == K::kTime || b == K::kTimeTz)
            return choose(zoned ? kTimesZonedFailing : kTimes, form);
        if (b == K::kDate || b == K::kTimestamp || b == K::kTimestampTz) return safe;
    }
    if (a == K::kTime && (b == K::kTimeTz || b == K::kIntervalMicros)) return safe;
    if (a == K::kTimeTz && b == K::kTime) return safe;
    if (a == K::kIntervalMicros && b == K::kTime) return safe;
    return nullptr;
}

} // namespace

bool isSameRepresentation(const SqlType& from, const SqlType& to) {
    if (from == to) return true;
    if (isTextual(from.kind) && isTextual(to.kind)) return true;
    if (isOidLike(from.kind) && isOidLike(to.kind)) return true;
    return from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal &&
           from.scale == to.scale && naturalKind(from) == naturalKind(to) &&
           from.precision <= to.precision;
}

const Function* castFunctionOf(const SqlType& from, const SqlType& to, CastForm form) {
    const TypeKind a = from.kind;
    const TypeKind b = to.kind;
    if (isTextual(a) && isTextual(b)) return textCast(from, to, form);
    if (b == TypeKind::kVoid || a == TypeKind::kVoid) return nullptr;
    if (a == TypeKind::kRegproc && b == TypeKind::kOid && form != CastForm::kTry)
        return regprocToOid();
    if ((a == TypeKind::kInteger || isOidLike(a)) && b == TypeKind::kRegproc) return oidToRegproc();
    if (isTextual(a)) {
        const bool session = isDateTime(b) || isOidLike(b);
        return choose(session ? kFromTextStable : kFromText, form);
    }
    if (isTextual(b)) {
        const bool limited = b == TypeKind::kChar || b == TypeKind::kVarchar;
        if (form == CastForm::kAssignment && limited)
            return choose(hasSessionText(a) ? kToTextLimitStable : kToTextLimit, form);
        return hasSessionText(a) ? &kToTextCutStable : &kToTextCut;
    }
    if (isNumeric(a) && isNumeric(b)) return numericCast(from, to, form);
    if (b == TypeKind::kBoolean) {
        if (a == TypeKind::kBoolean || isInteger(a)) return &kToBoolean;
        return nullptr;
    }
    if (a == TypeKind::kBoolean) return isInteger(b) ? &kIntegerWiden : nullptr;
    if ((isOidLike(a) && (isOidLike(b) || isInteger(b))) || (isInteger(a) && isOidLike(b)))
        return choose(kInteger, form);
    if (a == b) return isInterval(a) || isDateTime(a) ? &kIntegerWiden : nullptr;
    return timesCast(from, to, form);
}

const Function* castFunction(const SqlType& from, const SqlType& to) {
    return castFunctionOf(from, to, CastForm::kExplicit);
}

const Function* tryCastFunction(const SqlType& from, const SqlType& to) {
    return castFunctionOf(from, to, CastForm::kTry);
}

bool canCast(const SqlType& from, const SqlType& to, CastContext context) {
    if (from.kind == to.kind || from.kind == TypeKind::kUnknown) return true;
    if (castFunction(from, to) == nullptr) return false;
    if (context == CastContext::kExplicit) return true;
    if (isString(from.kind) && isString(to.kind)) return true;
    if (isNumeric(from.kind) && isNumeric(to.kind)) return true;
    if (isInteger(from.kind) && to.kind == TypeKind::kBoolean) return true;
    if (isOidLike(from.kind) || isOidLike(to.kind))
        return !isString(from.kind) || to.kind != TypeKind::kOid;
    if (isDateTime(from.kind) && (isDateTime(to.kind) || isInterval(to.kind))) return true;
    // Values go into text columns and text arguments; text goes nowhere by itself.
    if (isTextual(from.kind)) return isTextual(to.kind) && context == CastContext::kAssignment;
    return isString(to.kind) &&
           (isNumeric(from.kind) || isDateTime(from.kind) || context == CastContext::kAssignment);
}

namespace {

/// What two known, different types have in common; kVoid for nothing.
SqlType unify(const SqlType& a, const SqlType& b, int precision_cap) {
    if (a == b) return a;
    const TypeKind x = a.kind;
    const TypeKind y = b.kind;
    if (x == TypeKind::kUnknown) return y == TypeKind::kUnknown ? SqlType::text() : b;
    if (y == TypeKind::kUnknown) return a;
    if (isNumeric(x) && isNumeric(y)) {
        if (isFloat(x) || isFloat(y)) return x == y ? a : SqlType::doublePrecision();
        if (isInteger(x) && isInteger(y)) return x > y ? a : b;
        const int digits_a = x == TypeKind::kDecimal ? a.precision - a.scale : integerDigits(x);
        const int digits_b = y == TypeKind::kDecimal ? b.precision - b.scale : integerDigits(y);
        const int scale = std::max<int>(a.scale, b.scale);
        return SqlType::decimal(std::min(std::max(digits_a, digits_b) + scale, precision_cap),
                                scale);
    }
    if (isString(x) && isString(y)) {
        if (x == TypeKind::kText || y == TypeKind::kText || a.length == 0 || b.length == 0)
            return SqlType::text();
        const int length = std::max(a.length, b.length);
        if (x == TypeKind::kChar && y == TypeKind::kChar) return SqlType::character(length);
        return SqlType::varchar(length);
    }
    if (isTextual(x) && isTextual(y)) return SqlType::text();
    if (isDateTime(x) && isDateTime(y)) {
        const bool times = (x == TypeKind::kTime || x == TypeKind::kTimeTz) &&
                           (y == TypeKind::kTime || y == TypeKind::kTimeTz);
        const bool days = x != TypeKind::kTime && x != TypeKind::kTimeTz && y != TypeKind::kTime &&
                          y != TypeKind::kTimeTz;
        if (times || days) return x > y ? a : b;
    }
    if (isOidLike(x) && isOidLike(y)) return SqlType::of(TypeKind::kOid);
    if (isOidLike(x) && isInteger(y)) return SqlType::bigInt();
    if (isInteger(x) && isOidLike(y)) return SqlType::bigInt();
    if (isInteger(x) && y == TypeKind::kBoolean) return a;
    if (x == TypeKind::kBoolean && isInteger(y)) return b;
    return SqlType::of(TypeKind::kVoid);
}

} // namespace

SqlType commonType(std::span<const SqlType> types, std::string_view context) {
    SqlType common = SqlType::unknown();
    bool first = true;
    bool untyped = false;
    for (const SqlType& type : types) {
        if (type.kind == TypeKind::kUnknown) {
            untyped = true;
            continue;
        }
        if (first) {
            common = type;
            first = false;
            continue;
        }
        const int cap = common.precision > 19 || type.precision > 19 ? kMaxDecimalPrecision : 19;
        const SqlType next = unify(common, type, cap);
        if (next.kind == TypeKind::kVoid)
            throw SqlError(Error(sqlstate::kDatatypeMismatch,
                                 std::string(context) + " types " + formatType(common) + " and " +
                                     formatType(type) + " cannot be matched")
                               .withHint("Cast one of them to the type of the other."));
        common = next;
    }
    if (first) return SqlType::text();
    // An untyped literal beside a string may be longer than that string's type allows.
    if (untyped && (common.kind == TypeKind::kVarchar || common.kind == TypeKind::kChar))
        return SqlType::varchar(kMaxVarcharBytes);
    return common;
}

SqlType comparisonType(const SqlType& a, const SqlType& b, std::string_view symbol) {
    SqlType common = unify(a, b, kMaxDecimalPrecision);
    // An untyped literal may be longer than the string type beside it: it must not be cut off.
    const bool literal = a.kind == TypeKind::kUnknown || b.kind == TypeKind::kUnknown;
    if (literal && (common.kind == TypeKind::kVarchar || common.kind == TypeKind::kChar))
        common.length = kMaxVarcharBytes;
    if (common.kind != TypeKind::kVoid) return common;
    for (const auto& [side, other] : {std::pair(a, b), std::pair(b, a)})
        if (side.kind == TypeKind::kRegproc &&
            (other.kind == TypeKind::kInteger || isOidLike(other.kind)))
            return side;
    // Text against a decimal is read as a number; other values go to text.
    if (isString(a.kind) || isString(b.kind)) {
        const SqlType& other = isString(a.kind) ? b : a;
        if (other.kind == TypeKind::kDecimal)
            return SqlType::decimal(kMaxDecimalPrecision, std::max<int>(other.scale, 10));
        if (isNumeric(other.kind) || isDateTime(other.kind)) {
            return isDateTime(other.kind) ? other : SqlType::text();
        }
        if (isOidLike(other.kind)) return other;
    }
    throw SqlError(Error(sqlstate::kUndefinedFunction, "operator does not exist: " + formatType(a) +
                                                           " " + std::string(symbol) + " " +
                                                           formatType(b))
                       .withHint("No operator matches the given types. Add explicit type casts."));
}

} // namespace blueshift::functions
