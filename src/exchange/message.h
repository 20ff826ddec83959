// message.h: a batch as bytes, and back. Format: docs/formats/exchange.md.
//
// Place: senders fill a MessageWriter per destination; channels carry Messages; receivers decode.
// Owns: a writer copies what it is given; a decoded batch points into its message, which it holds.
// Threads: a writer is one lane's; messages are immutable. Bytes are checked before they are
// believed: damage is XX001.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "types/vector.h"

namespace blueshift::exchange {

/// Bytes on their way, aligned for every kind and readable 64 bytes past the end.
class Message {
public:
    Message() = default;
    explicit Message(size_t size);
    Message(Message&&) = default;
    Message& operator=(Message&&) = default;

    u8* data() { return bytes_.get(); }
    const u8* data() const { return bytes_.get(); }
    size_t size() const { return size_; }

private:
    struct Free {
        void operator()(u8* bytes) const;
    };
    std::unique_ptr<u8[], Free> bytes_;
    size_t size_ = 0;
};

/// Collects rows for one destination and gives a message per `capacity` rows. Text that is
/// dictionary-coded with few entries stays coded; a dictionary travels with its first message.
class MessageWriter {
public:
    /// `sender` names this writer in its messages: receivers keep its dictionaries.
    MessageWriter(std::span<const PhysicalKind> kinds, u32 sender, u32 capacity = kVectorRows);

    using Emit = std::function<void(Message)>;
    /// Rows rows[0 .. count) of the columns, which have the writer's kinds.
    void append(std::span<const Vector> columns, const u16* rows, u32 count, const Emit& emit);
    /// What is left.
    void flush(const Emit& emit);
    u32 rows() const { return rows_; }

private:
    struct Column {
        PhysicalKind kind;
        bool has_nulls = false;
        bool coded = false;
        bool dictionary_sent = false;
        u64 dictionary_id = 0; // of the vectors; 0: none
        u32 entries = 0;
        std::vector<u32> entry_offsets;
        std::vector<char> entry_bytes;
        std::vector<u8> values; // fixed kinds
        std::vector<u16> codes;
        std::vector<u32> offsets; // text: rows + 1
        std::vector<char> text;
        u64 validity[kValidityWords];
    };

    static bool fits(const Column& column, const Vector& vector, u32 count);
    static void adopt(Column& column, const Vector& vector, u32 count);
    void take(Column& column, const Vector& vector, const u16* rows, u32 count);
    Message encode();

    std::vector<Column> columns_;
    u32 sender_;
    u32 capacity_;
    u32 rows_ = 0;
};

struct Dictionary {
    std::shared_ptr<const Message> message;
    std::vector<TextView> entries;
    u64 id = 0;
};

/// Dictionaries that arrived, by sender and column. Messages of a sender are opened in their order.
class Dictionaries {
public:
    explicit Dictionaries(u64 first_id) : next_id_(first_id) {}

private:
    friend class ReceivedBatch;
    std::unordered_map<u64, std::shared_ptr<const Dictionary>> known_;
    u64 next_id_;
};

/// One message as a batch: open() in order of arrival, decode() by any worker.
class ReceivedBatch {
public:
    Status open(Message message, std::span<const PhysicalKind> kinds, Dictionaries& dictionaries);
    Status decode();
    /// Valid as long as this object; flat or dictionary vectors.
    const Batch& batch() const { return batch_; }
    u32 rows() const { return rows_; }

private:
    struct Column {
        PhysicalKind kind;
        bool coded = false;
        bool has_validity = false;
        size_t validity = 0; // offsets in the message
        size_t values = 0;
        size_t text = 0;
        u32 text_bytes = 0;
        std::shared_ptr<const Dictionary> dictionary;
        std::vector<TextView> views;
    };
    Status damaged(const char* what) const;
    Result<std::shared_ptr<const Dictionary>> readDictionary(size_t offsets, size_t text,
                                                             u32 entries, u32 text_bytes,
                                                             u64 id) const;

    std::shared_ptr<const Message> message_;
    std::vector<Column> columns_;
    std::vector<Vector> vectors_;
    u32 rows_ = 0;
    Batch batch_;
};

} // namespace blueshift::exchange
