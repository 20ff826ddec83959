// simple_query.cpp: the Query message: a text of statements, run one after the other.
#include <cctype>

#include "session/session.h"
#include "session/utf8.h"

namespace blueshift::session {

namespace {

/// As Redshift.
constexpr size_t kMaxTextBytes = 16 * 1024 * 1024;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (std::isspace(u8(text.front())) || text.front() == ';'))
        text.remove_prefix(1);
    while (!text.empty() && (std::isspace(u8(text.back())) || text.back() == ';'))
        text.remove_suffix(1);
    return text;
}

/// Takes a word off the front when it is `word` in any case.
bool takeWord(std::string_view& text, std::string_view word) {
    if (text.size() < word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i)
        if (std::tolower(u8(text[i])) != word[i]) return false;
    const bool ends = text.size() == word.size() || std::isspace(u8(text[word.size()])) ||
                      text[word.size()] == '"';
    if (!ends) return false;
    text = trimmed(text.substr(word.size()));
    return true;
}

/// An identifier as SQL reads it: folded, or quoted with doubled quotes. Empty for anything else.
std::string identifierOf(std::string_view text) {
    std::string name;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '"' && (++i >= text.size() || text[i] != '"')) return {};
            name += text[i];
        }
        return name;
    }
    for (const char c : text) {
        if (!std::isalnum(u8(c)) && c != '_' && c != '$' && u8(c) < 0x80) return {};
        name += char(std::tolower(u8(c)));
    }
    return name;
}

} // namespace

void Session::checkText(std::string_view text) {
    if (text.size() > kMaxTextBytes)
        throw SqlError(Error(sqlstate::kProgramLimitExceeded,
                             "the SQL text has " + std::to_string(text.size()) +
                                 " bytes, more than " + std::to_string(kMaxTextBytes))
                           .withHint("Split it, or load data with COPY."));
    requireUtf8(text);
}

Status Session::simpleQuery(const Message& message) {
    FieldReader fields(message.body);
    const std::string_view text = fields.readText();
    if (!fields.complete()) return failure(sqlstate::kProtocolViolation, "malformed Query message");
    // A simple query ends what the unnamed statement and portal were for.
    portals_.erase("");
    statements_.erase("");

    std::vector<Connection::Piece> pieces;
    bool ok = guarded(0, [&] {
        checkText(text);
        pieces = connection_->split(text);
    });
    if (ok && pieces.empty()) writer_.empty('I');
    const bool implicit_block = pieces.size() > 1;
    for (const Connection::Piece& piece : pieces) {
        Status sent;
        ok = guarded(piece.characters_before, [&] { sent = runPiece(piece, implicit_block); });
        if (copy_stream_.broken()) return failure(*copy_stream_.broken());
        BS_TRY(sent);
        if (!ok) break;
    }
    if (ok && implicit_block) guarded(0, [&] { connection_->endImplicitBlock(); });
    if (connection_->transactionStatus() == TransactionStatus::kIdle) portals_.clear();
    return sendReady();
}

void Session::refuseInFailedBlock(const Prepared& prepared) const {
    if (connection_->transactionStatus() != TransactionStatus::kFailed ||
        prepared.endsTransaction())
        return;
    throw SqlError(Error(sqlstate::kInFailedSqlTransaction,
                         "current transaction is aborted, commands ignored until end of "
                         "transaction block")
                       .withHint("Run ROLLBACK."));
}

Status Session::runPiece(const Connection::Piece& piece, bool implicit_block) {
    if (deallocate(piece.text)) {
        sendComplete("DEALLOCATE");
        return {};
    }
    const std::unique_ptr<Prepared> prepared = connection_->prepare(piece.text);
    if (prepared->empty()) {
        writer_.empty('I');
        return {};
    }
    refuseInFailedBlock(*prepared);
    if (!prepared->parameterTypes().empty())
        throw SqlError(
            Error(sqlstate::kUndefinedParameter, "there is no parameter $1")
                .withHint("Send parameters with the extended protocol, or use PREPARE."));
    copy_stream_.begin([this] { return connection_->cancelRequested(); });
    const std::unique_ptr<Execution> execution = connection_->execute(
        *prepared, {}, {.source = &copy_stream_, .implicit_block = implicit_block});
    switch (execution->kind()) {
    case ResultKind::kRows:
        sendRowDescription(execution->fields(), {});
        BS_TRY(sendRows(*execution));
        break;
    case ResultKind::kCopyIn: BS_TRY(runCopyIn(*execution)); break;
    case ResultKind::kCopyOut: BS_TRY(runCopyOut(*execution)); break;
    case ResultKind::kNone:
    case ResultKind::kEmpty: break;
    }
    const std::string tag = execution->finish();
    sendNotices();
    if (execution->kind() == ResultKind::kEmpty) writer_.empty('I');
    else sendComplete(tag);
    return {};
}

bool Session::deallocate(std::string_view text) {
    std::string_view rest = trimmed(text);
    if (!takeWord(rest, "deallocate") ||
        connection_->transactionStatus() == TransactionStatus::kFailed)
        return false;
    takeWord(rest, "prepare");
    std::string_view all = rest;
    if (takeWord(all, "all") && all.empty()) {
        statements_.clear();
        return false; // the engine forgets its own
    }
    const auto found = statements_.find(identifierOf(rest));
    if (found == statements_.end() || found->first.empty()) return false;
    statements_.erase(found);
    return true;
}

} // namespace blueshift::session
