// statement_facts.h: the statements and sessions that the user of a monitoring view may see, and
// the forms that the views share.
#pragma once

#include "catalog/system/catalog_reader.h"

namespace blueshift::catalog {

/// A superuser sees all, others their own.
inline bool mayMonitor(const CatalogReader& reader, std::string_view user) {
    return reader.superuser() || user == reader.user();
}

inline std::vector<StatementFacts> visibleStatements(const CatalogReader& reader) {
    std::vector<StatementFacts> list;
    if (reader.server() == nullptr) return list;
    list = reader.server()->statements();
    std::erase_if(list, [&](const StatementFacts& row) { return !mayMonitor(reader, row.user); });
    return list;
}

inline std::vector<SessionRow> visibleSessions(const CatalogReader& reader) {
    std::vector<SessionRow> list;
    if (reader.server() == nullptr) return list;
    list = reader.server()->sessions();
    std::erase_if(list, [&](const SessionRow& row) { return !mayMonitor(reader, row.user); });
    return list;
}

inline std::vector<SessionRow> visibleClosedSessions(const CatalogReader& reader) {
    std::vector<SessionRow> list;
    if (reader.server() == nullptr) return list;
    list = reader.server()->closedSessions();
    std::erase_if(list, [&](const SessionRow& row) { return !mayMonitor(reader, row.user); });
    return list;
}

inline std::vector<LoadError> visibleLoadErrors(const CatalogReader& reader) {
    std::vector<LoadError> list;
    if (reader.server() == nullptr) return list;
    list = reader.server()->loadErrors();
    std::erase_if(list, [&](const LoadError& row) {
        return !reader.superuser() && row.user_id != reader.userId(reader.user());
    });
    return list;
}

inline std::vector<ExchangeFacts> visibleExchanges(const CatalogReader& reader) {
    std::vector<ExchangeFacts> list;
    if (reader.server() == nullptr) return list;
    list = reader.server()->exchanges();
    std::erase_if(list, [&](const ExchangeFacts& row) { return !mayMonitor(reader, row.user); });
    return list;
}

/// NULL for a moment that has not come.
inline std::optional<i64> moment(i64 micros) {
    return micros == 0 ? std::nullopt : std::optional(micros);
}

inline i64 elapsed(const CatalogReader& reader, const StatementFacts& row) {
    const i64 end = row.end_time != 0 ? row.end_time : reader.now();
    return end > row.start_time ? end - row.start_time : 0;
}

/// SELECT, INSERT, UPDATE, DELETE, COPY, UNLOAD and CTAS; the rest are DDL and utilities.
inline bool isQuery(const StatementFacts& row) {
    return row.type != "DDL" && row.type != "UTILITY";
}

/// Calls `use(sequence, piece)` for pieces of at most `bytes` bytes that do not cut a character.
template <class Use> void inPieces(std::string_view text, size_t bytes, const Use& use) {
    i32 sequence = 0;
    do {
        size_t length = std::min(bytes, text.size());
        while (length > 0 && length < text.size() && (u8(text[length]) & 0xC0) == 0x80) --length;
        use(sequence++, text.substr(0, length));
        text.remove_prefix(length);
    } while (!text.empty());
}

} // namespace blueshift::catalog
