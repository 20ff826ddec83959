#include "execute/group/group_spill.h"

namespace blueshift::execute {
namespace {

std::vector<RowCodec::OutsideState> statesOf(const GroupShape& shape) {
    std::vector<RowCodec::OutsideState> states;
    for (u32 c = 0; c < shape.sink.calls.size(); ++c)
        states.push_back({shape.state_offsets[c], shape.sink.calls[c].aggregate});
    return states;
}

} // namespace

GroupSpill::GroupSpill(const GroupShape& shape) : group_codec(shape.layout, statesOf(shape)) {
    for (const DeferredShape& input : shape.deferred) deferred_codecs.emplace_back(input.layout);
    for (GroupPart& part : parts_) part.deferred.resize(shape.deferred.size());
}

void GroupSpill::absorb(Written&& written) {
    const std::lock_guard lock(mutex_);
    for (u32 p = 0; p < kPartitions; ++p) {
        GroupPart& part = parts_[p];
        bool any = !written.groups[p].empty();
        part.groups.absorb(std::move(written.groups[p]));
        for (size_t d = 0; d < part.deferred.size(); ++d) {
            any |= !written.deferred[d][p].empty();
            part.deferred[d].absorb(std::move(written.deferred[d][p]));
        }
        if (any) any_.store(true);
    }
}

} // namespace blueshift::execute
