// row_encoder.h: batches to DataRow messages, in text or binary, column by column choice.
//
// The way of each column is chosen once a result; numbers, booleans and text are written here
// without going through the session's formats, everything else by Connection::appendText.
// Threads: those of the connection.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ints.h"
#include "statement.h"

namespace blueshift::session {

/// Binary decimals: PostgreSQL's groups of digits, or an integer of 8 or 16 bytes whose scale is in
/// the type modifier.
enum class DecimalForm : u8 { kPostgres, kRedshift };

class RowEncoder {
public:
    /// `formats`: none (all text), one for all, or one a column; 0 text, 1 binary.
    RowEncoder(Connection& connection, std::span<const ResultField> fields,
               std::span<const i16> formats, DecimalForm decimal_form);

    /// Live rows `from` .. `to`-1 of a batch, a message each.
    void append(std::string& out, const Batch& batch, u32 from, u32 to);
    /// The body of one such message, which is also a tuple of the binary copy format. `row`: as
    /// Batch::rowAt gives it.
    void appendTuple(std::string& out, const Batch& batch, u32 row);

private:
    enum class Way : u8 {
        kIntegerText,
        kBooleanText,
        kDecimalText,
        kBytes,
        kSessionText,
        kInteger1,
        kInteger2,
        kInteger4,
        kInteger8,
        kTimeTz,
        kReal,
        kDouble,
        kDecimal,
        kDecimal8,
        kDecimal16,
        kArray,
        kRegproc,
    };
    struct Column {
        SqlType type;
        Way way;
    };
    static Way textWay(TypeKind kind);
    static Way binaryWay(const SqlType& type, DecimalForm decimal_form);
    void appendArray(std::string& out, std::string_view text, const SqlType& type);
    void appendField(std::string& out, const Column& column, const Vector& vector, u32 row);

    Connection* connection_;
    std::vector<Column> columns_;
};

/// The format code of a column, given the codes of a Bind message.
inline i16 formatOf(std::span<const i16> formats, size_t column) {
    return formats.empty() ? i16(0) : formats.size() == 1 ? formats[0] : formats[column];
}

} // namespace blueshift::session
