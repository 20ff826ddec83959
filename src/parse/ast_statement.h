// ast_statement.h: statements of the syntax tree except definitions and rights (ast_ddl.h).
//
// Place: part of parse/ast.h; read that header first.
// One struct a statement, named after it; `statement->as<Insert>()` is the checked down-cast.
#pragma once

#include "parse/ast_query.h"

namespace blueshift::parse {

enum class StatementKind : u8 {
    // ast_statement.h
    kSelect,
    kInsert,
    kUpdate,
    kDelete,
    kTruncate,
    kMerge,
    kCopy,
    kUnload,
    kTransaction,
    kLock,
    kSet,
    kReset,
    kShow,
    kExplain,
    kAnalyze,
    kAnalyzeCompression,
    kVacuum,
    kPrepare,
    kExecute,
    kDeallocate,
    kDeclare,
    kFetch,
    kClose,
    kCancel,
    kUse,
    kCall,
    kDiscard,
    // ast_ddl.h
    kCreateTable,
    kAlterTable,
    kCreateView,
    kCreateSchema,
    kAlterSchema,
    kCreateDatabase,
    kAlterDatabase,
    kDrop,
    kComment,
    kCreateUser,
    kAlterUser,
    kCreateGroup,
    kAlterGroup,
    kCreateRole,
    kAlterRole,
    kGrant,
    kGrantRole,
};

struct Statement {
    StatementKind kind;
    i32 position;
    /// The statement in the text given to parse(): bytes [begin, end), without the semicolon and
    /// without blanks around it; `text` is the same bytes, copied to the arena.
    u32 begin = 0;
    u32 end = 0;
    std::string_view text;
    /// Number of the highest $n in it.
    i32 parameter_count = 0;

    Statement(StatementKind kind, i32 position) : kind(kind), position(position) {}
    template <class T> T* as() {
        BS_ASSERT(kind == T::kKind);
        return static_cast<T*>(this);
    }
    template <class T> const T* as() const {
        BS_ASSERT(kind == T::kKind);
        return static_cast<const T*>(this);
    }
    template <class T> bool is() const { return kind == T::kKind; }
};

template <StatementKind K> struct StatementOf : Statement {
    static constexpr StatementKind kKind = K;
    explicit StatementOf(i32 position) : Statement(K, position) {}
};

/// RESTRICT is the default everywhere.
enum class DropBehavior : u8 { kUnspecified, kRestrict, kCascade };

/// SELECT, VALUES, TABLE, WITH .. SELECT. SELECT INTO is one too: see SelectQuery::into.
struct Select : StatementOf<StatementKind::kSelect> {
    using StatementOf::StatementOf;
    Query* query = nullptr;
};

/// Exactly one of `query` (a kValues query may hold kDefault items) and `default_values`.
/// A WITH in front of INSERT is put in front of the query.
struct Insert : StatementOf<StatementKind::kInsert> {
    using StatementOf::StatementOf;
    ObjectName table;
    List<ColumnName> columns;
    bool default_values = false;
    Query* query = nullptr;
};

struct Assignment {
    ColumnName column;
    /// May be a kDefault.
    Expression* value = nullptr;
};

struct Update : StatementOf<StatementKind::kUpdate> {
    using StatementOf::StatementOf;
    WithClause* with = nullptr;
    ObjectName table;
    std::string_view alias;
    List<Assignment> assignments;
    List<FromItem*> from;
    Expression* where = nullptr;
};

struct Delete : StatementOf<StatementKind::kDelete> {
    using StatementOf::StatementOf;
    WithClause* with = nullptr;
    ObjectName table;
    std::string_view alias;
    List<FromItem*> using_items;
    Expression* where = nullptr;
};

struct Truncate : StatementOf<StatementKind::kTruncate> {
    using StatementOf::StatementOf;
    ObjectName table;
};

enum class MergeAction : u8 { kUpdate, kDelete, kInsert };

struct MergeBranch {
    /// WHEN MATCHED or WHEN NOT MATCHED.
    bool matched = true;
    MergeAction action = MergeAction::kUpdate;
    List<Assignment> assignments;
    List<ColumnName> columns;
    /// INSERT .. VALUES (..): may hold kDefault.
    List<Expression*> values;
    i32 position = -1;
};

/// Either `remove_duplicates` or branches in the order written. The binder checks that there is one
/// branch of each sort.
struct Merge : StatementOf<StatementKind::kMerge> {
    using StatementOf::StatementOf;
    ObjectName table;
    /// Redshift forbids a target alias; it is parsed so that the binder can say so.
    std::string_view alias;
    FromItem* source = nullptr;
    Expression* on = nullptr;
    bool remove_duplicates = false;
    List<MergeBranch> branches;
};

enum class OptionArgument : u8 { kNone, kText, kWord, kInteger, kDecimal, kStar, kColumns };

/// One option of COPY, UNLOAD and the like, whichever dialect it was written in. SIMPLIFY AUTO n
/// gives "simplify" (kWord) and "simplify_tolerance". `name` is lower case, words joined by `_`.
/// Formats are options named after the format: "csv", "json", "avro", "parquet", "orc",
/// "fixedwidth", "shapefile", "text", "binary"; FORMAT AS JSON 'auto' and JSON AS 'auto' and
/// (FORMAT json) all give "json".
struct Option {
    std::string_view name;
    OptionArgument argument = OptionArgument::kNone;
    /// kText: the characters; kWord: lower case; numbers: the digits.
    std::string_view text;
    i64 integer = 0;
    /// kColumns: PARTITION BY (..), FORCE QUOTE a, b.
    List<ColumnName> columns;
    /// A key, token or password: never shown or logged.
    bool secret = false;
    i32 position = -1;
};

enum class CopyDirection : u8 { kFrom, kTo };
enum class CopyPlace : u8 {
    /// 's3://..', 'emr://..', 'dynamodb://..', a file: `location`.
    kLocation,
    kStdin,
    kStdout,
};

/// COPY of both dialects. Options with an argument have AS removed; among them
/// iam_role (kText, or kWord "default"), access_key_id, secret_access_key, session_token,
/// credentials, region, manifest, delimiter, quote, escape, null, header, ignoreheader, maxerror,
/// dateformat, timeformat, gzip, bzip2, lzop, zstd, acceptinvchars, compupdate, statupdate,
/// force_quote, encoding, noload, parallel (UNLOAD) ...
struct Copy : StatementOf<StatementKind::kCopy> {
    using StatementOf::StatementOf;
    CopyDirection direction = CopyDirection::kFrom;
    /// Empty when `query` is set: COPY (query) TO ..
    ObjectName table;
    List<ColumnName> columns;
    Query* query = nullptr;
    CopyPlace place = CopyPlace::kLocation;
    std::string_view location;
    List<Option> options;
};

/// Options as in Copy; "partition_by" (kColumns) and "include" belong together; maxfilesize and
/// rowgroupsize are numbers followed by an option "maxfilesize_unit" / "rowgroupsize_unit" (kWord).
struct Unload : StatementOf<StatementKind::kUnload> {
    using StatementOf::StatementOf;
    /// The text between the quotes, and what it parses to. Positions inside `query` count from the
    /// start of `query_text`.
    std::string_view query_text;
    Query* query = nullptr;
    std::string_view location;
    List<Option> options;
};

enum class TransactionAction : u8 { kBegin, kCommit, kRollback };
enum class IsolationLevel : u8 {
    kUnspecified,
    kReadUncommitted,
    kReadCommitted,
    kRepeatableRead,
    kSerializable,
    kSnapshot,
};
enum class AccessMode : u8 { kUnspecified, kReadWrite, kReadOnly };

/// BEGIN, START TRANSACTION; COMMIT, END; ROLLBACK, ABORT.
struct Transaction : StatementOf<StatementKind::kTransaction> {
    using StatementOf::StatementOf;
    TransactionAction action = TransactionAction::kBegin;
    IsolationLevel isolation = IsolationLevel::kUnspecified;
    AccessMode access = AccessMode::kUnspecified;
};

struct Lock : StatementOf<StatementKind::kLock> {
    using StatementOf::StatementOf;
    List<ObjectName> tables;
};

enum class SetScope : u8 { kUnspecified, kSession, kLocal };
enum class SetTarget : u8 {
    /// `name` and `values`; SET TIME ZONE is name "timezone", SET NAMES is "client_encoding",
    /// SET SCHEMA is "search_path", SET SEED is "seed".
    kParameter,
    /// values[0] is the user; none with DEFAULT.
    kSessionAuthorization,
    /// values[0] is the role; none with NONE.
    kRole,
    /// SET TRANSACTION, SET SESSION CHARACTERISTICS AS TRANSACTION: isolation and access.
    kTransaction,
    kSessionCharacteristics,
};

enum class SettingKind : u8 { kText, kWord, kNumber };
struct SettingValue {
    SettingKind kind = SettingKind::kText;
    /// A number keeps its sign and its digits.
    std::string_view text;
};

struct Set : StatementOf<StatementKind::kSet> {
    using StatementOf::StatementOf;
    SetTarget target = SetTarget::kParameter;
    SetScope scope = SetScope::kUnspecified;
    /// Lower case; a context variable has a dot: "my.var".
    std::string_view name;
    /// TO DEFAULT (and TIME ZONE LOCAL).
    bool to_default = false;
    List<SettingValue> values;
    IsolationLevel isolation = IsolationLevel::kUnspecified;
    AccessMode access = AccessMode::kUnspecified;
};

/// RESET name, RESET ALL, RESET SESSION AUTHORIZATION ("session_authorization"), RESET USE ("use"),
/// RESET TIME ZONE ("timezone").
struct Reset : StatementOf<StatementKind::kReset> {
    using StatementOf::StatementOf;
    bool all = false;
    std::string_view name;
};

enum class ShowKind : u8 {
    /// SHOW name; SHOW TRANSACTION ISOLATION LEVEL is "transaction_isolation", SHOW TIME ZONE is
    /// "timezone", SHOW SESSION AUTHORIZATION is "session_authorization".
    kParameter,
    kAll,
    kDatabases,
    /// FROM DATABASE d: `object.name`.
    kSchemas,
    /// FROM SCHEMA [d.]s: `object.schema` empty, `object.database` the d, `object.name` the s.
    kTables,
    /// FROM TABLE [d.][s.]t
    kColumns,
    kPrimaryKeys,
    kForeignKeys,
    /// FOREIGN KEYS EXPORTED
    kExportedKeys,
    /// ON object FOR grantee, or FOR grantee FROM DATABASE d.
    kGrants,
    kColumnGrants,
    /// FROM SCHEMA [d.]s
    kProcedures,
    kFunctions,
    /// OF PROCEDURE|FUNCTION d.s.f(types)
    kProcedureParameters,
    kFunctionParameters,
    /// One object's definition: SHOW TABLE t, SHOW VIEW v, SHOW EXTERNAL TABLE t, ...
    kTable,
    kView,
    kExternalTable,
    kProcedure,
    kDatashares,
};

enum class GranteeKind : u8 { kUser, kRole, kGroup, kPublic };
struct Grantee {
    GranteeKind kind = GranteeKind::kUser;
    std::string_view name;
    /// WITH GRANT OPTION or WITH ADMIN OPTION.
    bool with_option = false;
    i32 position = -1;
};

enum class ObjectKind : u8 {
    kTable,
    kView,
    kMaterializedView,
    kColumn,
    kConstraint,
    kSchema,
    kDatabase,
    kFunction,
    kProcedure,
    kLanguage,
    kUser,
    kGroup,
    kRole,
    /// GRANT CREATE USER TO ROLE r: a right on the system itself.
    kSystem,
};

struct Show : StatementOf<StatementKind::kShow> {
    using StatementOf::StatementOf;
    ShowKind show = ShowKind::kParameter;
    /// kParameter: lower case, with a dot for a context variable.
    std::string_view name;
    /// What the list is taken from, or the object shown.
    ObjectName object;
    /// kGrants: what `object` is.
    ObjectKind object_kind = ObjectKind::kTable;
    List<TypeName*> argument_types;
    /// FOR ..; null without.
    Grantee* grantee = nullptr;
    /// LIKE 'p': a text literal or a parameter; null without.
    Expression* like = nullptr;
    Expression* limit = nullptr;
};

/// EXPLAIN [ANALYZE] [VERBOSE] s, or EXPLAIN (ANALYZE, CODEGEN, VERBOSE false, ..) s. Options other
/// than the three are in `options`, lower case ("costs", "format").
struct Explain : StatementOf<StatementKind::kExplain> {
    using StatementOf::StatementOf;
    bool analyze = false;
    bool verbose = false;
    bool codegen = false;
    List<Option> options;
    Statement* statement = nullptr;
};

/// ANALYZE [VERBOSE] [t [(c, ..)]] [PREDICATE COLUMNS | ALL COLUMNS]
struct Analyze : StatementOf<StatementKind::kAnalyze> {
    using StatementOf::StatementOf;
    bool verbose = false;
    bool predicate_columns = false;
    /// Empty: all tables of the database.
    ObjectName table;
    List<ColumnName> columns;
};

struct AnalyzeCompression : StatementOf<StatementKind::kAnalyzeCompression> {
    using StatementOf::StatementOf;
    ObjectName table;
    List<ColumnName> columns;
    /// 0 without COMPROWS.
    i64 sample_rows = 0;
};

enum class VacuumKind : u8 { kUnspecified, kFull, kSortOnly, kDeleteOnly, kReindex, kRecluster };

struct Vacuum : StatementOf<StatementKind::kVacuum> {
    using StatementOf::StatementOf;
    VacuumKind vacuum = VacuumKind::kUnspecified;
    bool boost = false;
    /// 0 without TO n PERCENT.
    i32 threshold_percent = 0;
    /// Empty: all tables.
    ObjectName table;
};

struct Prepare : StatementOf<StatementKind::kPrepare> {
    using StatementOf::StatementOf;
    std::string_view name;
    List<TypeName*> types;
    /// SELECT, INSERT, UPDATE or DELETE.
    Statement* statement = nullptr;
};

struct Execute : StatementOf<StatementKind::kExecute> {
    using StatementOf::StatementOf;
    std::string_view name;
    List<Expression*> arguments;
};

struct Deallocate : StatementOf<StatementKind::kDeallocate> {
    using StatementOf::StatementOf;
    bool all = false;
    std::string_view name;
};

struct Declare : StatementOf<StatementKind::kDeclare> {
    using StatementOf::StatementOf;
    std::string_view name;
    bool with_hold = false;
    bool binary = false;
    bool scroll = false;
    Query* query = nullptr;
};

struct Fetch : StatementOf<StatementKind::kFetch> {
    using StatementOf::StatementOf;
    std::string_view cursor;
    /// FETCH ALL, FETCH FORWARD ALL.
    bool all = false;
    i64 count = 1;
    /// MOVE instead of FETCH: no rows are returned.
    bool move = false;
};

struct Close : StatementOf<StatementKind::kClose> {
    using StatementOf::StatementOf;
    bool all = false;
    std::string_view cursor;
};

struct Cancel : StatementOf<StatementKind::kCancel> {
    using StatementOf::StatementOf;
    i64 process = 0;
    std::string_view message;
};

struct Use : StatementOf<StatementKind::kUse> {
    using StatementOf::StatementOf;
    std::string_view database;
};

struct Call : StatementOf<StatementKind::kCall> {
    using StatementOf::StatementOf;
    FunctionCall* call = nullptr;
};

enum class DiscardKind : u8 { kAll, kPlans, kTemporary, kSequences };

struct Discard : StatementOf<StatementKind::kDiscard> {
    using StatementOf::StatementOf;
    DiscardKind discard = DiscardKind::kAll;
};

} // namespace blueshift::parse
