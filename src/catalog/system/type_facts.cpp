#include "catalog/system/type_facts.h"

namespace blueshift::catalog {

TypeColumns describeType(const SqlType& type) {
    TypeColumns facts;
    facts.data_type = formatType(type);
    if (const size_t parenthesis = facts.data_type.find('('); parenthesis != std::string::npos)
        facts.data_type.resize(parenthesis);
    const auto binary = [&](i32 bits) {
        facts.numeric_precision = bits;
        facts.numeric_radix = 2;
    };
    switch (type.kind) {
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
        binary(i32(widthOf(naturalKind(type))) * 8);
        facts.numeric_scale = 0;
        break;
    case TypeKind::kReal: binary(24); break;
    case TypeKind::kDouble: binary(53); break;
    case TypeKind::kDecimal:
        facts.numeric_precision = type.precision;
        facts.numeric_radix = 10;
        facts.numeric_scale = type.scale;
        break;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
        if (type.length > 0) facts.character_length = type.length;
        break;
    case TypeKind::kDate: facts.datetime_precision = 0; break;
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: facts.datetime_precision = 6; break;
    case TypeKind::kIntervalMonths:
        facts.data_type = "interval";
        facts.interval_type = "YEAR TO MONTH";
        break;
    case TypeKind::kIntervalMicros:
        facts.data_type = "interval";
        facts.interval_type = "DAY TO SECOND";
        facts.datetime_precision = 6;
        break;
    default: break;
    }
    return facts;
}

} // namespace blueshift::catalog
