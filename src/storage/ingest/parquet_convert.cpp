#include "storage/ingest/parquet_convert.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <limits>

#include "functions/text_input.h"
#include "functions/utf8.h"

namespace blueshift::storage {
namespace {

constexpr i64 kEpochDays = 10'957; // from 1970-01-01 to 2000-01-01
constexpr i64 kMicrosPerDay = 86'400'000'000;

i128 powerOfTen(int exponent) {
    i128 power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

bool isTextArray(arrow::Type::type id) {
    return id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING ||
           id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY ||
           id == arrow::Type::FIXED_SIZE_BINARY || id == arrow::Type::STRING_VIEW ||
           id == arrow::Type::BINARY_VIEW;
}

bool isDecimalArray(arrow::Type::type id) {
    return id == arrow::Type::DECIMAL32 || id == arrow::Type::DECIMAL64 ||
           id == arrow::Type::DECIMAL128;
}

i128 decimalAt(const arrow::Decimal128Array& array, i64 row) {
    i128 value;
    std::memcpy(&value, array.GetValue(row), sizeof(value));
    return value;
}
i128 decimalAt(const arrow::Decimal64Array& array, i64 row) {
    i64 value;
    std::memcpy(&value, array.GetValue(row), sizeof(value));
    return value;
}
i128 decimalAt(const arrow::Decimal32Array& array, i64 row) {
    i32 value;
    std::memcpy(&value, array.GetValue(row), sizeof(value));
    return value;
}

/// Units of an Arrow time in a microsecond, or microseconds in such a unit.
void unitFactors(arrow::TimeUnit::type unit, i128& up, i128& down) {
    up = unit == arrow::TimeUnit::SECOND ? 1'000'000 : unit == arrow::TimeUnit::MILLI ? 1'000 : 1;
    down = unit == arrow::TimeUnit::NANO ? 1'000 : 1;
}

} // namespace

bool canLoad(const arrow::DataType& from, const SqlType& to) {
    const auto id = from.id();
    const TypeKind kind = to.kind;
    if (id == arrow::Type::NA) return true;
    if (id == arrow::Type::DICTIONARY) {
        const auto entries = static_cast<const arrow::DictionaryType&>(from).value_type()->id();
        return isString(kind) && isTextArray(entries) && entries != arrow::Type::FIXED_SIZE_BINARY;
    }
    if (isTextArray(id)) return isString(kind);
    if (arrow::is_integer(id)) return isNumeric(kind);
    if (isDecimalArray(id)) return kind == TypeKind::kDecimal || isFloat(kind);
    switch (id) {
    case arrow::Type::BOOL: return kind == TypeKind::kBoolean;
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: return isFloat(kind);
    case arrow::Type::DATE32: return kind == TypeKind::kDate || kind == TypeKind::kTimestamp;
    case arrow::Type::TIMESTAMP:
        return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
    case arrow::Type::TIME32:
    case arrow::Type::TIME64: return kind == TypeKind::kTime || kind == TypeKind::kTimeTz;
    default: return false;
    }
}

ParquetConverter::ParquetConverter(std::span<const TargetField> targets, const TextFormat& format)
    : targets_(targets), format_(format) {
    for (const TargetField& target : targets) buffers_.emplace_back(naturalKind(target.type));
    columns_.resize(targets.size());
    selection_.resize(kVectorRows);
}

void ParquetConverter::fail(const Place& place, u32 row, const char* reason, std::string shown) {
    setBit(bad_, row);
    const TargetField& target = targets_[place.column];
    RowError error;
    error.line = place.line + row;
    error.column = target.name;
    error.type = target.type;
    error.raw_field = shown.substr(0, kRawBytes);
    error.code = 1204;
    error.reason = reason;
    error.sqlstate = sqlstate::kNumericValueOutOfRange;
    error.hint = "Give the table's column a type that takes the value.";
    if (isString(target.type.kind)) {
        error.sqlstate = sqlstate::kStringDataRightTruncation;
        if (std::string_view(reason).find("UTF8") != std::string_view::npos) {
            error.code = 1220;
            error.sqlstate = sqlstate::kCharacterNotInRepertoire;
            error.hint = "Write the file's text in UTF-8.";
        }
    }
    place.errors->push_back(std::move(error));
}

/// Runs `store(row)` for each value; it returns nullptr or what is wrong.
template <class Store>
void ParquetConverter::loop(const arrow::Array& array, const Place& place, Store&& store) {
    VectorBuffer& out = buffers_[place.column];
    out.setAllValid();
    const bool may_be_null = array.null_count() > 0;
    bool nulls = false;
    for (u32 row = 0; row < place.count; ++row) {
        if (may_be_null && array.IsNull(place.from + row)) {
            clearBit(out.validity(), row);
            nulls = true;
            if (!targets_[place.column].not_null || bitAt(bad_, row)) continue;
            fail(place, row, "Missing data for not-null field", "");
            place.errors->back().code = 1213;
            place.errors->back().sqlstate = sqlstate::kNotNullViolation;
            continue;
        }
        if (bitAt(bad_, row)) continue;
        if (const char* reason = store(row)) [[unlikely]] {
            std::string shown;
            if (auto scalar = array.GetScalar(place.from + row); scalar.ok())
                shown = (*scalar)->ToString();
            fail(place, row, reason, std::move(shown));
        }
    }
    columns_[place.column] = out.view(nulls);
}

/// Stores value / 10^scale in the column's type.
const char* ParquetConverter::storeInteger(u32 column, u32 row, i128 value, int scale) {
    const SqlType& type = targets_[column].type;
    VectorBuffer& out = buffers_[column];
    if (type.kind == TypeKind::kDecimal) {
        const i128 limit = powerOfTen(type.precision);
        int places = type.scale - scale;
        for (; places > 0; --places) {
            if (value > limit || value < -limit) return "Overflow for NUMERIC";
            value *= 10;
        }
        if (places < 0) {
            // Half away from zero, as casts do with ROUNDEC; digits are dropped without it.
            const i128 unit = powerOfTen(-places);
            const i128 rest = value % unit;
            value /= unit;
            if (format_.round_decimals && (rest < 0 ? -rest : rest) * 2 >= unit)
                value += rest < 0 ? -1 : 1;
        }
        if (value >= limit || value <= -limit) return "Overflow for NUMERIC";
    }
    switch (out.kind()) {
    case PhysicalKind::kI8:
        out.values<i8>()[row] = i8(value);
        return value == i8(value) ? nullptr : "Numeric value is out of range";
    case PhysicalKind::kI16:
        out.values<i16>()[row] = i16(value);
        return value == i16(value) ? nullptr : "Numeric value is out of range";
    case PhysicalKind::kI32:
        out.values<i32>()[row] = i32(value);
        return value == i32(value) ? nullptr : "Numeric value is out of range";
    case PhysicalKind::kI64:
        out.values<i64>()[row] = i64(value);
        return value == i64(value) ? nullptr : "Numeric value is out of range";
    case PhysicalKind::kF32:
        out.values<f32>()[row] = f32(f64(value) / std::pow(10.0, scale));
        return nullptr;
    case PhysicalKind::kF64:
        out.values<f64>()[row] = f64(value) / std::pow(10.0, scale);
        return nullptr;
    default: out.values<i128>()[row] = value; return nullptr;
    }
}

template <class Array>
void ParquetConverter::integers(const Array& array, const Place& place, int scale, i128 unit_up,
                                i128 unit_down, i128 shift) {
    loop(array, place, [&](u32 row) {
        i128 value = i128(array.Value(place.from + row)) * unit_up;
        // Towards minus infinity: instants before the epoch too.
        if (unit_down > 1) value = value / unit_down - (value % unit_down < 0);
        return storeInteger(place.column, row, value - shift, scale);
    });
}

template <class Array>
void ParquetConverter::decimals(const Array& array, const Place& place, int scale) {
    loop(array, place, [&](u32 row) {
        return storeInteger(place.column, row, decimalAt(array, place.from + row), scale);
    });
}

template <class Array> void ParquetConverter::floats(const Array& array, const Place& place) {
    VectorBuffer& out = buffers_[place.column];
    loop(array, place, [&](u32 row) -> const char* {
        const f64 value = f64(array.Value(place.from + row));
        if (out.kind() == PhysicalKind::kF64) {
            out.values<f64>()[row] = value;
            return nullptr;
        }
        out.values<f32>()[row] = f32(value);
        return std::isfinite(value) && !std::isfinite(f32(value)) ? "Numeric value is out of range"
                                                                  : nullptr;
    });
}

const char* ParquetConverter::storeText(u32 column, u32 row, std::string_view text) {
    const SqlType& type = targets_[column].type;
    if (!simdjson::validate_utf8(text.data(), text.size()) || text.find('\0') != text.npos)
        return "String contains invalid or unsupported UTF8 codepoints";
    if (type.kind == TypeKind::kChar || format_.trim_blanks)
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    const u32 limit = functions::textLimit(type);
    if (text.size() > limit) {
        const size_t cut = functions::utf8Floor(text, limit);
        if (!format_.truncate_columns && text.find_first_not_of(' ', cut) != text.npos)
            return "String length exceeds DDL length";
        text = text.substr(0, cut);
    }
    buffers_[column].values<TextView>()[row] = makeTextView(text);
    return nullptr;
}

template <class Array> void ParquetConverter::texts(const Array& array, const Place& place) {
    loop(array, place,
         [&](u32 row) { return storeText(place.column, row, array.GetView(place.from + row)); });
}

void ParquetConverter::codes(const arrow::DictionaryArray& array, const Place& place) {
    const auto through = [&](const auto& entries) {
        loop(array, place, [&](u32 row) -> const char* {
            const i64 code = array.GetValueIndex(place.from + row);
            if (entries.IsNull(code)) return "Dictionary entry without a value";
            return storeText(place.column, row, entries.GetView(code));
        });
    };
    const arrow::Array& entries = *array.dictionary();
    switch (entries.type_id()) {
    case arrow::Type::STRING: return through(static_cast<const arrow::StringArray&>(entries));
    case arrow::Type::BINARY: return through(static_cast<const arrow::BinaryArray&>(entries));
    case arrow::Type::LARGE_STRING:
        return through(static_cast<const arrow::LargeStringArray&>(entries));
    case arrow::Type::LARGE_BINARY:
        return through(static_cast<const arrow::LargeBinaryArray&>(entries));
    case arrow::Type::STRING_VIEW:
        return through(static_cast<const arrow::StringViewArray&>(entries));
    default: return through(static_cast<const arrow::BinaryViewArray&>(entries));
    }
}

void ParquetConverter::column(const arrow::Array& array, const Place& place) {
    using arrow::Type;
    const TypeKind target = targets_[place.column].type.kind;
    i128 up, down;
    switch (array.type_id()) {
    case Type::BOOL: return integers(static_cast<const arrow::BooleanArray&>(array), place, 0);
    case Type::INT8: return integers(static_cast<const arrow::Int8Array&>(array), place, 0);
    case Type::INT16: return integers(static_cast<const arrow::Int16Array&>(array), place, 0);
    case Type::INT32: return integers(static_cast<const arrow::Int32Array&>(array), place, 0);
    case Type::INT64: return integers(static_cast<const arrow::Int64Array&>(array), place, 0);
    case Type::UINT8: return integers(static_cast<const arrow::UInt8Array&>(array), place, 0);
    case Type::UINT16: return integers(static_cast<const arrow::UInt16Array&>(array), place, 0);
    case Type::UINT32: return integers(static_cast<const arrow::UInt32Array&>(array), place, 0);
    case Type::UINT64: return integers(static_cast<const arrow::UInt64Array&>(array), place, 0);
    case Type::FLOAT: return floats(static_cast<const arrow::FloatArray&>(array), place);
    case Type::DOUBLE: return floats(static_cast<const arrow::DoubleArray&>(array), place);
    case Type::DECIMAL32:
        return decimals(static_cast<const arrow::Decimal32Array&>(array), place,
                        static_cast<const arrow::DecimalType&>(*array.type()).scale());
    case Type::DECIMAL64:
        return decimals(static_cast<const arrow::Decimal64Array&>(array), place,
                        static_cast<const arrow::DecimalType&>(*array.type()).scale());
    case Type::DECIMAL128:
        return decimals(static_cast<const arrow::Decimal128Array&>(array), place,
                        static_cast<const arrow::DecimalType&>(*array.type()).scale());
    case Type::DATE32:
        if (target == TypeKind::kDate)
            return integers(static_cast<const arrow::Date32Array&>(array), place, 0, 1, 1,
                            kEpochDays);
        return integers(static_cast<const arrow::Date32Array&>(array), place, 0, kMicrosPerDay, 1,
                        i128(kEpochDays) * kMicrosPerDay);
    case Type::TIMESTAMP:
        unitFactors(static_cast<const arrow::TimestampType&>(*array.type()).unit(), up, down);
        return integers(static_cast<const arrow::TimestampArray&>(array), place, 0, up, down,
                        i128(kEpochDays) * kMicrosPerDay);
    case Type::TIME32:
        unitFactors(static_cast<const arrow::Time32Type&>(*array.type()).unit(), up, down);
        return integers(static_cast<const arrow::Time32Array&>(array), place, 0, up, down);
    case Type::TIME64:
        unitFactors(static_cast<const arrow::Time64Type&>(*array.type()).unit(), up, down);
        return integers(static_cast<const arrow::Time64Array&>(array), place, 0, up, down);
    case Type::STRING: return texts(static_cast<const arrow::StringArray&>(array), place);
    case Type::LARGE_STRING:
        return texts(static_cast<const arrow::LargeStringArray&>(array), place);
    case Type::BINARY: return texts(static_cast<const arrow::BinaryArray&>(array), place);
    case Type::LARGE_BINARY:
        return texts(static_cast<const arrow::LargeBinaryArray&>(array), place);
    case Type::STRING_VIEW: return texts(static_cast<const arrow::StringViewArray&>(array), place);
    case Type::BINARY_VIEW: return texts(static_cast<const arrow::BinaryViewArray&>(array), place);
    case Type::FIXED_SIZE_BINARY:
        return texts(static_cast<const arrow::FixedSizeBinaryArray&>(array), place);
    case Type::DICTIONARY: return codes(static_cast<const arrow::DictionaryArray&>(array), place);
    default: break;
    }
    // A column of NULLs only.
    return loop(array, place, [](u32) -> const char* { return nullptr; });
}

Batch ParquetConverter::convert(const arrow::RecordBatch& rows, i64 from, u32 count, u64 line,
                                std::vector<RowError>& errors) {
    std::fill(std::begin(bad_), std::end(bad_), 0);
    for (u32 c = 0; c < targets_.size(); ++c) {
        if (int(c) < rows.num_columns()) {
            column(*rows.column(int(c)), {c, from, count, line, &errors});
            continue;
        }
        column(arrow::NullArray(from + count), {c, from, count, line, &errors});
    }
    Batch batch{.rows = count, .selected = count, .columns = columns_};
    if (!errors.empty()) {
        batch.selected = 0;
        for (u32 row = 0; row < count; ++row)
            if (!bitAt(bad_, row)) selection_[batch.selected++] = u16(row);
        batch.selection = selection_.data();
    }
    return batch;
}

} // namespace blueshift::storage
