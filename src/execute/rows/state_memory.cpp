#include "execute/rows/state_memory.h"

#include <algorithm>

namespace blueshift::execute {

void* StateMemory::allocate(size_t bytes) {
    bytes = (bytes + 7) & ~size_t{7};
    if (bytes > left_) {
        const size_t size =
            std::max<size_t>(bytes, std::clamp<u64>(memory_bytes_, 4096, 256 << 10));
        if (context_->take(size, what_)) memory_bytes_ += size;
        chunks_.push_back(std::make_unique_for_overwrite<u64[]>(size / 8 + 1));
        at_ = reinterpret_cast<u8*>(chunks_.back().get());
        left_ = size;
    }
    void* result = at_;
    at_ += bytes;
    left_ -= bytes;
    return result;
}

void StateMemory::release() {
    if (chunks_.empty()) return;
    if (context_->memory != nullptr) context_->memory->shrink(memory_bytes_);
    chunks_.clear();
    at_ = nullptr;
    left_ = 0;
    memory_bytes_ = 0;
}

} // namespace blueshift::execute
