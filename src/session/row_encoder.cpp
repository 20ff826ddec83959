#include "session/row_encoder.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "session/binary_format.h"
#include "session/message_writer.h"

namespace blueshift::session {

namespace {

/// An integer cell of any width, when it fits 64 bits, which all but wide decimals do.
i64 wordAt(const Vector& vector, u32 row) {
    switch (vector.kind) {
    case PhysicalKind::kI8: return vector.valueAt<i8>(row);
    case PhysicalKind::kI16: return vector.valueAt<i16>(row);
    case PhysicalKind::kI32: return vector.valueAt<i32>(row);
    case PhysicalKind::kI64: return vector.valueAt<i64>(row);
    default: return i64(vector.valueAt<i128>(row));
    }
}

char* writeDigits(char* to, u64 value) {
    return std::to_chars(to, to + 20, value).ptr;
}

void appendDecimalText(std::string& out, i128 value, u32 scale) {
    char digits[48];
    char* end = digits;
    const bool negative = value < 0;
    u128 rest = negative ? -u128(value) : u128(value);
    constexpr u64 kChunk = 10'000'000'000'000'000'000ull;
    if (rest < kChunk) {
        end = writeDigits(end, u64(rest));
    } else {
        char low[20];
        const u64 low_value = u64(rest % kChunk);
        end = writeDigits(end, u64(rest / kChunk));
        const char* low_end = writeDigits(low, low_value);
        for (long i = low_end - low; i < 19; ++i) *end++ = '0';
        for (const char* c = low; c < low_end; ++c) *end++ = *c;
    }
    const size_t count = size_t(end - digits);
    if (negative) out += '-';
    if (scale == 0) {
        out.append(digits, count);
    } else if (count > scale) {
        out.append(digits, count - scale);
        out += '.';
        out.append(digits + count - scale, scale);
    } else {
        out += "0.";
        out.append(scale - count, '0');
        out.append(digits, count);
    }
}

} // namespace

RowEncoder::Way RowEncoder::textWay(TypeKind kind) {
    switch (kind) {
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt: return Way::kIntegerText;
    case TypeKind::kBoolean: return Way::kBooleanText;
    case TypeKind::kDecimal: return Way::kDecimalText;
    case TypeKind::kVarchar:
    case TypeKind::kText:
    case TypeKind::kName: return Way::kBytes;
    default: return Way::kSessionText;
    }
}

RowEncoder::Way RowEncoder::binaryWay(const SqlType& type, DecimalForm decimal_form) {
    switch (type.kind) {
    case TypeKind::kBoolean: return Way::kInteger1;
    case TypeKind::kSmallInt: return Way::kInteger2;
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kIntervalMonths:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype: return Way::kInteger4;
    case TypeKind::kBigInt:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kIntervalMicros: return Way::kInteger8;
    case TypeKind::kTimeTz: return Way::kTimeTz;
    case TypeKind::kReal: return Way::kReal;
    case TypeKind::kDouble: return Way::kDouble;
    case TypeKind::kDecimal:
        if (decimal_form == DecimalForm::kPostgres) return Way::kDecimal;
        return naturalKind(type) == PhysicalKind::kI64 ? Way::kDecimal8 : Way::kDecimal16;
    case TypeKind::kChar: return Way::kSessionText; // blank padded, like its text
    case TypeKind::kInt2Array:
    case TypeKind::kInt2Vector:
    case TypeKind::kOidVector:
    case TypeKind::kOidArray:
    case TypeKind::kTextArray: return Way::kArray;
    case TypeKind::kRegproc: return Way::kRegproc;
    default: return Way::kBytes;
    }
}

RowEncoder::RowEncoder(Connection& connection, std::span<const ResultField> fields,
                       std::span<const i16> formats, DecimalForm decimal_form)
    : connection_(&connection) {
    columns_.reserve(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
        const SqlType& type = fields[i].type;
        const bool binary = formatOf(formats, i) == 1;
        columns_.push_back({type, binary ? binaryWay(type, decimal_form) : textWay(type.kind)});
    }
}

void RowEncoder::append(std::string& out, const Batch& batch, u32 from, u32 to) {
    for (u32 i = from; i < to; ++i) {
        const size_t message = out.size();
        out += 'D';
        out.append(4, '\0');
        appendTuple(out, batch, batch.rowAt(i));
        patchInt32(out, message + 1, i32(out.size() - message - 1));
    }
}

void RowEncoder::appendTuple(std::string& out, const Batch& batch, u32 row) {
    appendInt16(out, i16(columns_.size()));
    for (size_t c = 0; c < columns_.size(); ++c) {
        const Vector& vector = batch.columns[c];
        if (vector.isNull(row)) {
            appendInt32(out, -1);
            continue;
        }
        const size_t field = out.size();
        out.append(4, '\0');
        appendField(out, columns_[c], vector, row);
        patchInt32(out, field, i32(out.size() - field - 4));
    }
}

/// Dimensions, whether there is a NULL, the elements' type, length and lower bound, elements.
void RowEncoder::appendArray(std::string& out, std::string_view text, const SqlType& type) {
    const auto elements = connection_->arrayElements(text, type);
    const bool small = type.kind == TypeKind::kInt2Array || type.kind == TypeKind::kInt2Vector;
    const bool texts = type.kind == TypeKind::kTextArray;
    const bool from_zero = type.kind == TypeKind::kInt2Vector || type.kind == TypeKind::kOidVector;
    const bool flat = !elements.empty() || from_zero; // an empty vector has a dimension too
    appendInt32(out, flat ? 1 : 0);
    const auto is_null = [](const auto& element) { return !element.has_value(); };
    appendInt32(out, std::ranges::any_of(elements, is_null) ? 1 : 0);
    appendInt32(out, typeOid(small   ? TypeKind::kSmallInt
                             : texts ? TypeKind::kText
                                     : TypeKind::kOid));
    if (flat) {
        appendInt32(out, i32(elements.size()));
        appendInt32(out, from_zero ? 0 : 1);
    }
    for (const auto& element : elements) {
        if (!element) {
            appendInt32(out, -1);
            continue;
        }
        appendInt32(out, texts ? i32(element->size()) : small ? 2 : 4);
        i64 number = 0;
        if (texts) out += *element;
        else std::from_chars(element->data(), element->data() + element->size(), number);
        if (small) appendInt16(out, i16(number));
        else if (!texts) appendInt32(out, i32(u32(number)));
    }
}

void RowEncoder::appendField(std::string& out, const Column& column, const Vector& vector,
                             u32 row) {
    switch (column.way) {
    case Way::kIntegerText: {
        char digits[24];
        const char* end = std::to_chars(digits, digits + sizeof(digits), wordAt(vector, row)).ptr;
        out.append(digits, size_t(end - digits));
        break;
    }
    case Way::kBooleanText: out += wordAt(vector, row) != 0 ? 't' : 'f'; break;
    case Way::kDecimalText: appendDecimalText(out, vector.integerAt(row), column.type.scale); break;
    case Way::kBytes: {
        const TextView& text = vector.values<TextView>()[vector.indexOf(row)];
        out.append(asStringView(text));
        break;
    }
    case Way::kSessionText: connection_->appendText(out, vector, row, column.type); break;
    case Way::kInteger1: out += char(wordAt(vector, row)); break;
    case Way::kInteger2: appendInt16(out, i16(wordAt(vector, row))); break;
    case Way::kInteger4: appendInt32(out, i32(wordAt(vector, row))); break;
    case Way::kInteger8: appendInt64(out, wordAt(vector, row)); break;
    case Way::kTimeTz:
        appendInt64(out, wordAt(vector, row));
        appendInt32(out, 0);
        break;
    case Way::kReal: appendInt32(out, std::bit_cast<i32>(vector.valueAt<f32>(row))); break;
    case Way::kDouble: appendInt64(out, std::bit_cast<i64>(vector.valueAt<f64>(row))); break;
    case Way::kDecimal: appendNumeric(out, vector.integerAt(row), column.type.scale); break;
    case Way::kDecimal8: appendInt64(out, i64(vector.integerAt(row))); break;
    case Way::kDecimal16: {
        const i128 value = vector.integerAt(row);
        appendInt64(out, i64(value >> 64));
        appendInt64(out, i64(value));
        break;
    }
    case Way::kArray:
        appendArray(out, asStringView(vector.values<TextView>()[vector.indexOf(row)]), column.type);
        break;
    case Way::kRegproc:
        appendInt32(out, i32(connection_->functionOid(
                             asStringView(vector.values<TextView>()[vector.indexOf(row)]))));
        break;
    }
}

} // namespace blueshift::session
