// error.h: the two shapes of an error, and the SQLSTATEs that blueshift reports.
//
// Zones (docs/decisions/0002): planning and DDL throw SqlError, caught once in session/. I/O and
// storage return Result<T>. Running operators record the first error in their execution context
// and never throw through it. Every error names what happened, to which object, and the remedy.
#pragma once

#include <exception>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace blueshift {

/// SQLSTATEs, five characters each. Named after PostgreSQL's errcodes.
namespace sqlstate {
inline constexpr std::string_view kWarning = "01000";
inline constexpr std::string_view kConnectionException = "08000";
inline constexpr std::string_view kTransactionResolutionUnknown = "08007";
inline constexpr std::string_view kProtocolViolation = "08P01";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kCardinalityViolation = "21000";
inline constexpr std::string_view kDataException = "22000";
inline constexpr std::string_view kStringDataRightTruncation = "22001";
inline constexpr std::string_view kNumericValueOutOfRange = "22003";
inline constexpr std::string_view kInvalidDatetimeFormat = "22007";
inline constexpr std::string_view kDatetimeFieldOverflow = "22008";
inline constexpr std::string_view kSubstringError = "22011";
inline constexpr std::string_view kDivisionByZero = "22012";
inline constexpr std::string_view kInvalidEscapeSequence = "22025";
inline constexpr std::string_view kCharacterNotInRepertoire = "22021";
inline constexpr std::string_view kInvalidParameterValue = "22023";
inline constexpr std::string_view kInvalidRegularExpression = "2201B";
inline constexpr std::string_view kInvalidArgumentForLogarithm = "2201E";
inline constexpr std::string_view kInvalidArgumentForPower = "2201F";
inline constexpr std::string_view kInvalidTextRepresentation = "22P02";
inline constexpr std::string_view kInvalidBinaryRepresentation = "22P03";
inline constexpr std::string_view kBadCopyFileFormat = "22P04";
inline constexpr std::string_view kNotNullViolation = "23502";
inline constexpr std::string_view kInvalidCursorState = "24000";
inline constexpr std::string_view kActiveSqlTransaction = "25001";
inline constexpr std::string_view kReadOnlySqlTransaction = "25006";
inline constexpr std::string_view kNoActiveSqlTransaction = "25P01";
inline constexpr std::string_view kInFailedSqlTransaction = "25P02";
inline constexpr std::string_view kInvalidSqlStatementName = "26000";
inline constexpr std::string_view kInvalidAuthorization = "28000";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kDependentObjectsStillExist = "2BP01";
inline constexpr std::string_view kInvalidCursorName = "34000";
inline constexpr std::string_view kInvalidCatalogName = "3D000";
inline constexpr std::string_view kInvalidSchemaName = "3F000";
inline constexpr std::string_view kSerializationFailure = "40001";
inline constexpr std::string_view kDeadlockDetected = "40P01";
inline constexpr std::string_view kSyntaxError = "42601";
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kCannotCoerce = "42846";
inline constexpr std::string_view kGroupingError = "42803";
inline constexpr std::string_view kWindowingError = "42P20";
inline constexpr std::string_view kDatatypeMismatch = "42804";
inline constexpr std::string_view kIndeterminateDatatype = "42P18";
inline constexpr std::string_view kWrongObjectType = "42809";
inline constexpr std::string_view kUndefinedColumn = "42703";
inline constexpr std::string_view kUndefinedFunction = "42883";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedParameter = "42P02";
inline constexpr std::string_view kUndefinedObject = "42704";
inline constexpr std::string_view kDuplicateColumn = "42701";
inline constexpr std::string_view kDuplicateAlias = "42712";
inline constexpr std::string_view kDuplicateTable = "42P07";
inline constexpr std::string_view kDuplicateSchema = "42P06";
inline constexpr std::string_view kDuplicateObject = "42710";
inline constexpr std::string_view kDuplicateCursor = "42P03";
inline constexpr std::string_view kDuplicatePreparedStatement = "42P05";
inline constexpr std::string_view kAmbiguousColumn = "42702";
inline constexpr std::string_view kAmbiguousFunction = "42725";
inline constexpr std::string_view kInvalidColumnReference = "42P10";
inline constexpr std::string_view kInvalidTableDefinition = "42P16";
inline constexpr std::string_view kInvalidName = "42602";
inline constexpr std::string_view kInvalidRecursion = "42P19";
inline constexpr std::string_view kReservedName = "42939";
inline constexpr std::string_view kTooManyColumns = "54011";
inline constexpr std::string_view kProgramLimitExceeded = "54000";
inline constexpr std::string_view kStatementTooComplex = "54001";
inline constexpr std::string_view kDiskFull = "53100";
inline constexpr std::string_view kOutOfMemory = "53200";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kObjectNotInPrerequisiteState = "55000";
inline constexpr std::string_view kObjectInUse = "55006";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kAdminShutdown = "57P01";
inline constexpr std::string_view kCannotConnectNow = "57P03";
inline constexpr std::string_view kIoError = "58030";
inline constexpr std::string_view kUndefinedFile = "58P01";
inline constexpr std::string_view kSnapshotTooOld = "72000";
inline constexpr std::string_view kConfigFileError = "F0000";
inline constexpr std::string_view kInternalError = "XX000";
inline constexpr std::string_view kDataCorrupted = "XX001";
inline constexpr std::string_view kObjectMissing = "XX002";
} // namespace sqlstate

/// What went wrong, for people and for programs. `position` is the 1-based character offset in the
/// statement's text, 0 when the error has no place in it.
struct Error {
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    int position = 0;

    Error() = default;
    Error(std::string_view state, std::string text) : sqlstate(state), message(std::move(text)) {}
    Error&& withDetail(std::string text) && {
        detail = std::move(text);
        return std::move(*this);
    }
    Error&& withHint(std::string text) && {
        hint = std::move(text);
        return std::move(*this);
    }
    Error&& at(int character) && {
        position = character;
        return std::move(*this);
    }
};

/// The value, or the error that an I/O or storage operation met.
template <class T> using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> failure(Error error) {
    return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> failure(std::string_view state, std::string message) {
    return std::unexpected<Error>(Error(state, std::move(message)));
}

/// Thrown by planning and DDL only.
class SqlError : public std::exception {
public:
    explicit SqlError(Error error) : error_(std::move(error)) {}
    SqlError(std::string_view state, std::string message) : error_(state, std::move(message)) {}

    const char* what() const noexcept override { return error_.message.c_str(); }
    const Error& error() const { return error_; }
    Error& error() { return error_; }

private:
    Error error_;
};

/// The value of a Result inside planning and DDL; throws its error.
template <class T> T orThrow(Result<T> result) {
    if (!result) throw SqlError(std::move(result.error()));
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

} // namespace blueshift

/// Leaves the function with the error of a Result-valued expression.
#define BS_TRY(expression)                                                            \
    do {                                                                              \
        if (auto bs_status = (expression); !bs_status)                                \
            return std::unexpected<::blueshift::Error>(std::move(bs_status.error())); \
    } while (false)

#define BS_CONCAT_INNER(a, b) a##b
#define BS_CONCAT(a, b) BS_CONCAT_INNER(a, b)
/// BS_ASSIGN(auto value, expression): takes the value, or leaves the function with the error.
#define BS_ASSIGN(target, expression)                            \
    auto BS_CONCAT(bs_result_, __LINE__) = (expression);         \
    if (!BS_CONCAT(bs_result_, __LINE__))                        \
        return std::unexpected<::blueshift::Error>(              \
            std::move(BS_CONCAT(bs_result_, __LINE__).error())); \
    target = std::move(*BS_CONCAT(bs_result_, __LINE__))
