#include "execute/spill/spill_space.h"

#include <fmt/format.h>
#include <lz4.h>

#include <memory>

#include "base/hash.h"

namespace blueshift::execute {

objects::TemporaryFile* SpillFile::open(WorkerContext& context) {
    const std::lock_guard lock(mutex_);
    if (file_ != nullptr) return file_.get();
    SpillSpace& space = *context.spill;
    auto made = objects::createTemporaryFile(space.files_, space.directory_);
    if (!made) {
        context.eval.fail(std::move(made.error()));
        return nullptr;
    }
    file_ = std::move(*made);
    return file_.get();
}

bool SpillFile::write(std::span<const u8> bytes, SpilledBlock& block, WorkerContext& context) {
    objects::TemporaryFile* file = open(context);
    if (file == nullptr) return false;
    std::unique_ptr<u8[]> packed;
    std::span<const u8> stored = bytes;
    if (bytes.size() <= LZ4_MAX_INPUT_SIZE) {
        const int most = LZ4_compressBound(int(bytes.size()));
        packed = std::make_unique_for_overwrite<u8[]>(size_t(most));
        const int size =
            LZ4_compress_default(reinterpret_cast<const char*>(bytes.data()),
                                 reinterpret_cast<char*>(packed.get()), int(bytes.size()), most);
        if (size > 0 && size_t(size) < bytes.size()) stored = {packed.get(), size_t(size)};
    }
    auto offset = file->append(stored);
    if (!offset) {
        context.eval.fail(std::move(offset.error()));
        return false;
    }
    block.offset = *offset;
    block.stored_bytes = stored.size();
    block.bytes = bytes.size();
    block.checksum = hashBytes(stored.data(), stored.size());
    spilled_.fetch_add(bytes.size(), std::memory_order_relaxed);
    context.spill->spilled_.fetch_add(bytes.size(), std::memory_order_relaxed);
    return true;
}

bool SpillFile::read(const SpilledBlock& block, u8* into, WorkerContext& context) const {
    const auto corrupt = [&](std::string_view what) {
        context.eval.fail(Error(sqlstate::kDataCorrupted,
                                fmt::format("a temporary file in \"{}\" is corrupt: {} at byte {}",
                                            context.spill->directory(), what, block.offset))
                              .withHint("Check the disk, then repeat the statement."));
        return false;
    };
    const bool packed = block.stored_bytes != block.bytes;
    std::unique_ptr<u8[]> buffer;
    if (packed) buffer = std::make_unique_for_overwrite<u8[]>(block.stored_bytes);
    u8* const stored = packed ? buffer.get() : into;
    if (auto status = file_->read(block.offset, {stored, block.stored_bytes}); !status) {
        context.eval.fail(std::move(status.error()));
        return false;
    }
    if (hashBytes(stored, block.stored_bytes) != block.checksum)
        return corrupt("a checksum mismatch");
    if (!packed) return true;
    const int size =
        LZ4_decompress_safe(reinterpret_cast<const char*>(stored), reinterpret_cast<char*>(into),
                            int(block.stored_bytes), int(block.bytes));
    if (size != int(block.bytes)) return corrupt("a block of the wrong length");
    return true;
}

} // namespace blueshift::execute
