// extended_query.cpp: Parse, Bind, Describe, Execute, Close and Sync.
//
// An error skips everything up to the next Sync. Statements between two Syncs commit together; one
// that is followed by Sync directly, as most drivers send it, stands alone, which saves the block.
#include "session/binary_format.h"
#include "session/session.h"
#include "session/utf8.h"

namespace blueshift::session {

namespace {

std::unexpected<Error> malformedMessage(const char* name) {
    return failure(sqlstate::kProtocolViolation, std::string("malformed ") + name + " message");
}

/// A count of 16 bits; the protocol treats it as unsigned.
u32 readCount(FieldReader& fields) {
    return u16(fields.readInt16());
}

std::vector<i16> readFormats(FieldReader& fields) {
    std::vector<i16> formats;
    const u32 count = readCount(fields);
    for (u32 i = 0; i < count && !fields.failed(); ++i) formats.push_back(fields.readInt16());
    return formats;
}

[[noreturn]] void failProtocol(std::string message) {
    throw SqlError(sqlstate::kProtocolViolation, std::move(message));
}

void checkFormats(std::span<const i16> formats, size_t values, const char* what) {
    if (formats.size() > 1 && formats.size() != values)
        failProtocol("bind message has " + std::to_string(formats.size()) + " " + what +
                     " formats but " + std::to_string(values) + " of them");
    for (const i16 format : formats)
        if (format != 0 && format != 1)
            throw SqlError(sqlstate::kInvalidParameterValue,
                           "unsupported format code " + std::to_string(format));
}

} // namespace

Status Session::parseMessage(const Message& message) {
    FieldReader fields(message.body);
    const std::string_view name = fields.readText();
    const std::string_view text = fields.readText();
    const u32 count = readCount(fields);
    auto statement = std::make_shared<Statement>();
    for (u32 i = 0; i < count && !fields.failed(); ++i)
        statement->declared_oids.push_back(fields.readInt32());
    if (!fields.complete()) return malformedMessage("Parse");

    skip_to_sync_ = !guarded(0, [&] {
        checkText(text);
        if (!name.empty() && statements_.contains(name))
            throw SqlError(Error(sqlstate::kDuplicatePreparedStatement,
                                 "prepared statement \"" + std::string(name) + "\" already exists")
                               .withHint("Close it first, or choose another name."));
        std::vector<SqlType> types;
        for (const i32 oid : statement->declared_oids)
            types.push_back(typeFromOid(oid, -1).value_or(SqlType::unknown()));
        statement->prepared = connection_->prepare(text, std::move(types));
        if (!statement->prepared->empty()) refuseInFailedBlock(*statement->prepared);
        statements_.insert_or_assign(std::string(name), std::move(statement));
        sendNotices();
        writer_.empty('1');
    });
    return {};
}

Status Session::bindMessage(const Message& message) {
    FieldReader fields(message.body);
    const std::string_view portal_name = fields.readText();
    const std::string_view statement_name = fields.readText();
    const std::vector<i16> formats = readFormats(fields);
    std::vector<ParameterField> parameters(readCount(fields));
    for (ParameterField& parameter : parameters) {
        const i32 length = fields.readInt32();
        if (length < -1 || fields.failed()) return malformedMessage("Bind");
        parameter.is_null = length == -1;
        if (length > 0) parameter.bytes = fields.readBytes(size_t(length));
    }
    auto portal = std::make_unique<Portal>();
    portal->result_formats = readFormats(fields);
    if (!fields.complete()) return malformedMessage("Bind");

    skip_to_sync_ = !guarded(0, [&] {
        const auto found = statements_.find(statement_name);
        if (found == statements_.end())
            throw SqlError(
                sqlstate::kInvalidSqlStatementName,
                statement_name.empty()
                    ? std::string("unnamed prepared statement does not exist")
                    : "prepared statement \"" + std::string(statement_name) + "\" does not exist");
        portal->statement = found->second;
        const Prepared& prepared = *portal->statement->prepared;
        if (!prepared.empty()) refuseInFailedBlock(prepared);
        const size_t expected = prepared.parameterTypes().size();
        if (parameters.size() != expected)
            failProtocol("bind message supplies " + std::to_string(parameters.size()) +
                         " parameters, but prepared statement \"" + std::string(statement_name) +
                         "\" requires " + std::to_string(expected));
        checkFormats(formats, parameters.size(), "parameter");
        if (prepared.kind() == ResultKind::kRows)
            checkFormats(portal->result_formats, prepared.fields().size(), "result");
        if (!portal_name.empty() && portals_.contains(portal_name))
            throw SqlError(Error(sqlstate::kDuplicateCursor,
                                 "cursor \"" + std::string(portal_name) + "\" already exists")
                               .withHint("Close the portal first, or choose another name."));
        bindParameters(parameters, formats, *portal);
        portals_.insert_or_assign(std::string(portal_name), std::move(portal));
        writer_.empty('2');
    });
    return {};
}

void Session::bindParameters(std::span<const ParameterField> fields, std::span<const i16> formats,
                             Portal& portal) {
    const std::span<const SqlType> types = portal.statement->prepared->parameterTypes();
    const std::vector<i32>& oids = portal.statement->declared_oids;
    for (size_t i = 0; i < fields.size(); ++i) {
        const SqlType& type = types[i];
        if (fields[i].is_null) {
            portal.parameters.push_back(Value::null(type));
            continue;
        }
        Value value;
        if (formatOf(formats, i) == 1) {
            if (i < oids.size() && oids[i] != 0 && !typeFromOid(oids[i], -1))
                throw SqlError(Error(sqlstate::kFeatureNotSupported,
                                     "binary parameter $" + std::to_string(i + 1) +
                                         " has type OID " + std::to_string(oids[i]) +
                                         ", which is not supported")
                                   .withHint("Send it in text form."));
            value = readBinaryValue(fields[i].bytes, type);
        } else {
            requireUtf8(fields[i].bytes);
            if (fields[i].bytes.find('\0') != std::string_view::npos)
                throw SqlError(sqlstate::kCharacterNotInRepertoire,
                               "invalid byte sequence for encoding \"UTF8\": 0x00");
            value = connection_->parseParameter(fields[i].bytes, type);
        }
        if (isTextual(value.type.kind) && !value.is_null) {
            requireUtf8(value.text);
            value.text = portal.texts.emplace_back(value.text);
        }
        portal.parameters.push_back(value);
    }
}

Status Session::describeMessage(const Message& message) {
    FieldReader fields(message.body);
    const char what = char(fields.readByte());
    const std::string_view name = fields.readText();
    if (!fields.complete() || (what != 'S' && what != 'P')) return malformedMessage("Describe");
    skip_to_sync_ = !guarded(0, [&] {
        const Prepared* prepared = nullptr;
        std::unique_ptr<Prepared> cursor;
        std::span<const i16> formats;
        if (what == 'S') {
            const auto found = statements_.find(name);
            if (found == statements_.end())
                throw SqlError(sqlstate::kInvalidSqlStatementName,
                               "prepared statement \"" + std::string(name) + "\" does not exist");
            prepared = found->second->prepared.get();
            const std::span<const SqlType> types = prepared->parameterTypes();
            writer_.begin('t');
            writer_.int16(i16(types.size()));
            for (const SqlType& type : types) writer_.int32(typeOid(type.kind));
            writer_.end();
        } else {
            const auto found = portals_.find(name);
            if (found != portals_.end()) {
                prepared = found->second->statement->prepared.get();
                formats = found->second->result_formats;
            } else {
                cursor = describeCursor(name);
                prepared = cursor.get();
            }
        }
        if (prepared->kind() == ResultKind::kRows) sendRowDescription(prepared->fields(), formats);
        else writer_.empty('n');
    });
    return {};
}

/// A cursor made by DECLARE is a portal to clients, described by what FETCH yields.
std::unique_ptr<Prepared> Session::describeCursor(std::string_view name) {
    std::string quoted;
    for (char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    std::unique_ptr<Prepared> fetch;
    if (!name.empty()) fetch = connection_->prepare("FETCH 1 FROM \"" + quoted + "\"");
    if (fetch == nullptr || fetch->kind() != ResultKind::kRows)
        throw SqlError(sqlstate::kInvalidCursorName,
                       "portal \"" + std::string(name) + "\" does not exist");
    return fetch;
}

Status Session::executeMessage(const Message& message) {
    FieldReader fields(message.body);
    const std::string_view name = fields.readText();
    const i32 limit = fields.readInt32();
    if (!fields.complete()) return malformedMessage("Execute");
    Status sent;
    skip_to_sync_ = !guarded(0, [&] {
        const auto found = portals_.find(name);
        if (found == portals_.end())
            throw SqlError(sqlstate::kInvalidCursorName,
                           "portal \"" + std::string(name) + "\" does not exist");
        runPortal(*found->second, limit > 0 ? u64(limit) : 0, sent);
    });
    if (copy_stream_.broken()) return failure(*copy_stream_.broken());
    return sent;
}

void Session::runPortal(Portal& portal, u64 limit, Status& sent) {
    Prepared& prepared = *portal.statement->prepared;
    if (prepared.empty()) {
        writer_.empty('I');
        return;
    }
    if (!portal.completed_tag.empty()) {
        if (prepared.kind() != ResultKind::kRows)
            throw SqlError(Error(sqlstate::kObjectNotInPrerequisiteState,
                                 "the portal has been run already and cannot be run again")
                               .withHint("Bind a new portal."));
        return sendComplete("SELECT 0");
    }
    if (!portal.execution) {
        refuseInFailedBlock(prepared);
        if (deallocate(prepared.text())) {
            portal.completed_tag = "DEALLOCATE";
            return sendComplete(portal.completed_tag);
        }
        const bool idle = connection_->transactionStatus() == TransactionStatus::kIdle;
        const bool alone = !block_open_ && limit == 0 && reader_.nextIs('S');
        const bool implicit_block = block_open_ || (idle && !alone);
        block_open_ = implicit_block;
        copy_stream_.begin([this] { return connection_->cancelRequested(); });
        portal.execution =
            connection_->execute(prepared, portal.parameters,
                                 {.source = &copy_stream_, .implicit_block = implicit_block});
        if (portal.execution->kind() == ResultKind::kRows)
            portal.encoder.emplace(*connection_, portal.execution->fields(), portal.result_formats,
                                   decimalForm());
    }
    Execution& execution = *portal.execution;
    bool suspended = false;
    switch (execution.kind()) {
    case ResultKind::kRows: sent = sendPortalRows(portal, limit, suspended); break;
    case ResultKind::kCopyIn: sent = runCopyIn(execution); break;
    case ResultKind::kCopyOut: sent = runCopyOut(execution); break;
    case ResultKind::kNone:
    case ResultKind::kEmpty: break;
    }
    if (!sent) return;
    if (suspended) {
        sendNotices();
        return writer_.empty('s');
    }
    const bool empty = execution.kind() == ResultKind::kEmpty;
    portal.completed_tag = execution.finish();
    if (portal.completed_tag.empty()) portal.completed_tag = "OK";
    portal.execution.reset();
    sendNotices();
    if (empty) writer_.empty('I');
    else sendComplete(portal.completed_tag);
}

Status Session::closeMessage(const Message& message) {
    FieldReader fields(message.body);
    const char what = char(fields.readByte());
    const std::string_view name = fields.readText();
    if (!fields.complete() || (what != 'S' && what != 'P')) return malformedMessage("Close");
    // Closing what does not exist is no error.
    if (what == 'S') {
        if (const auto found = statements_.find(name); found != statements_.end())
            statements_.erase(found);
    } else if (const auto found = portals_.find(name); found != portals_.end()) {
        portals_.erase(found);
    }
    writer_.empty('3');
    return {};
}

Status Session::syncMessage() {
    skip_to_sync_ = false;
    // Portals live as long as their transaction; outside a block that ends here.
    if (connection_->transactionStatus() == TransactionStatus::kIdle || block_open_)
        portals_.clear();
    if (block_open_) {
        block_open_ = false;
        guarded(0, [&] { connection_->endImplicitBlock(); });
    }
    return sendReady();
}

} // namespace blueshift::session
