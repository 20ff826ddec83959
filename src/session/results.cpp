// results.cpp: what statements send: row descriptions, rows, COPY data and tags.
#include <algorithm>

#include "session/session.h"

namespace blueshift::session {

namespace {
/// Result metadata bits of client_protocol_version >= 1.
constexpr i16 kNullableBit = 1 << 0;
constexpr i16 kSearchableBit = 1 << 12;
} // namespace

void Session::sendRowDescription(std::span<const ResultField> fields,
                                 std::span<const i16> formats) {
    writer_.begin('T');
    writer_.int16(i16(fields.size()));
    for (size_t i = 0; i < fields.size(); ++i) {
        const ResultField& field = fields[i];
        writer_.text(field.name)
            .int32(i32(field.table_oid))
            .int16(field.attribute)
            .int32(typeOid(field.type.kind))
            .int16(i16(typeWireLength(field.type.kind)))
            .int32(typeModifier(field.type))
            .int16(formatOf(formats, i));
        if (driver_protocol_ < 1) continue;
        const bool of_table = field.table_oid != 0;
        const ColumnOrigin origin = of_table ? connection_->originOf(field) : ColumnOrigin();
        writer_.text(origin.schema).text(origin.relation).text(origin.column);
        writer_.text(of_table ? database_ : "");
        writer_.int16(i16((field.nullable ? kNullableBit : 0) | (of_table ? kSearchableBit : 0)));
    }
    writer_.end();
}

void Session::sendComplete(std::string_view tag) {
    writer_.begin('C');
    writer_.text(tag).end();
}

Status Session::sendRows(Execution& execution) {
    RowEncoder encoder(*connection_, execution.fields(), {}, decimalForm());
    Batch batch;
    while (execution.next(batch)) {
        encoder.append(writer_.buffer(), batch, 0, batch.selected);
        writer_.markComplete();
        BS_TRY(writer_.flushIfLarge());
    }
    return {};
}

Status Session::sendPortalRows(Portal& portal, u64 limit, bool& suspended) {
    u64 sent = 0;
    while (true) {
        if (portal.batch_position == portal.batch.selected) {
            portal.batch_position = 0;
            portal.batch.selected = 0;
            if (!portal.execution->next(portal.batch)) return {};
        }
        u32 end = portal.batch.selected;
        if (limit > 0) end = u32(std::min<u64>(end, portal.batch_position + (limit - sent)));
        portal.encoder->append(writer_.buffer(), portal.batch, portal.batch_position, end);
        writer_.markComplete();
        sent += end - portal.batch_position;
        portal.batch_position = end;
        BS_TRY(writer_.flushIfLarge());
        if (limit > 0 && sent == limit) {
            suspended = true;
            return {};
        }
    }
}

void Session::sendCopyResponse(char type, const Execution& execution) {
    const i16 format = i16(execution.copyFormat());
    writer_.begin(type);
    writer_.byte(char(format)).int16(i16(execution.fields().size()));
    for (size_t i = 0; i < execution.fields().size(); ++i) writer_.int16(format);
    writer_.end();
}

Status Session::runCopyIn(Execution& execution) {
    sendCopyResponse('G', execution);
    BS_TRY(writer_.flush());
    Batch batch;
    while (execution.next(batch)) {}
    // The statement may have stopped at an end marker before the client's CopyDone.
    if (Status rest = copy_stream_.drain(); !rest) throw SqlError(std::move(rest.error()));
    return {};
}

Status Session::runCopyOut(Execution& execution) {
    sendCopyResponse('H', execution);
    for (std::string_view bytes = execution.nextBytes(); !bytes.empty();
         bytes = execution.nextBytes()) {
        // A message a row: clients that read row by row rely on it.
        size_t begin = 0;
        for (const size_t end : execution.rowEnds()) {
            writer_.begin('d');
            writer_.bytes(bytes.substr(begin, end - begin)).end();
            begin = end;
        }
        BS_TRY(writer_.flushIfLarge());
    }
    writer_.empty('c');
    return {};
}

} // namespace blueshift::session
