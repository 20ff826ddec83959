#include "execute/group/local_groups.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/block_steps.h"

namespace blueshift::execute {
namespace {

constexpr u32 kMostArguments = 8;
constexpr auto kEveryRow = [] {
    std::array<u16, kVectorRows> rows{};
    for (u32 i = 0; i < kVectorRows; ++i) rows[i] = u16(i);
    return rows;
}();

alignas(16) constexpr u8 kZeroValue[16] = {};
constexpr u64 kNoneValid = 0;

Vector nullVector(PhysicalKind kind) {
    return {
        .kind = kind, .form = VectorForm::kConstant, .data = kZeroValue, .validity = &kNoneValid};
}

} // namespace

LocalGroups::LocalGroups(const GroupShape& shape, GroupSpill& spill)
    : shape_(shape),
      spill_(spill),
      groups_(shape.layout, shape.compared, shape.initial_states),
      hasher_(u32(shape.compared.size())),
      direct_(shape.sets.size()),
      keys_(shape.layout.columnCount()),
      compared_(shape.compared.size()) {
    for (const DeferredShape& input : shape.deferred) {
        deferred_.push_back(std::make_unique<KeyedRows>(input.layout, input.compared, no_extra_));
        argument_hashers_.emplace_back(u32(input.args.size()));
    }
    for (u32 set = 0; set < shape.sets.size(); ++set) set_numbers_.push_back(i32(set));
}

u64 LocalGroups::memoryBytes() const {
    u64 bytes = groups_.memoryBytes() + memory_.memoryBytes();
    for (const auto& input : deferred_) bytes += input->memoryBytes();
    return bytes;
}

void LocalGroups::release(WorkerContext& context) {
    dropTables(context);
    groups_.rows.clear(context);
    for (auto& input : deferred_) input->rows.clear(context);
    memory_.bind(context);
    memory_.release();
}

void LocalGroups::spill(WorkerContext& context) {
    memory_.bind(context);
    GroupSpill::Written written(shape_);
    if (shape_.hasKeys()) {
        if (!groups_.spill(spill_.file, spill_.group_codec, written.groups, context)) return;
        memory_.release();
    }
    for (u32 d = 0; d < deferred_.size(); ++d)
        if (!deferred_[d]->spill(spill_.file, spill_.deferred_codecs[d], written.deferred[d],
                                 context))
            return;
    spill_.absorb(std::move(written));
}

bool LocalGroups::isSplit() const {
    return groups_.rows.isSplit() ||
           std::any_of(deferred_.begin(), deferred_.end(),
                       [](const auto& input) { return input->rows.isSplit(); });
}

bool LocalGroups::split(WorkerContext& context) {
    bool done = groups_.split(context);
    for (auto& input : deferred_) done = done && input->split(context);
    only_group_ = nullptr;
    return done;
}

void LocalGroups::dropTables(WorkerContext& context) {
    groups_.dropTable(context);
    for (auto& input : deferred_) input->dropTable(context);
    direct_.clear();
}

void LocalGroups::consume(const Batch& batch, WorkerContext& context) {
    memory_.bind(context);
    for (u32 set = 0; set < shape_.sets.size() && !context.failed(); ++set)
        if (makeRoom(set, batch, context)) consumeSet(set, batch, context);
}

u64 LocalGroups::batchBytes(const Batch& batch, bool with_texts) const {
    const u32 count = batch.selected;
    u64 bytes = groups_.growthBytes(count);
    const auto textBytes = [&](const Vector& values) {
        u64 sum = 0;
        if (!with_texts || values.kind != PhysicalKind::kText) return sum;
        for (u32 i = 0; i < count; ++i) {
            const u32 row = batch.rowAt(i);
            if (!values.isNull(row)) sum += values.valueAt<TextView>(row).length;
        }
        return sum;
    };
    u64 key_texts = 0;
    for (const Vector& key : keys_) key_texts += textBytes(key);
    if (shape_.hasKeys()) bytes += u64(count) * shape_.layout.rowBytes() + key_texts;
    for (u32 d = 0; d < deferred_.size(); ++d) {
        const DeferredShape& shape = shape_.deferred[d];
        bytes +=
            u64(count) * shape.layout.rowBytes() + deferred_[d]->growthBytes(count) + key_texts;
        for (const compile::Slot slot : shape.args) bytes += textBytes(batch.columns[slot]);
        for (const auto& key : shape_.sink.calls[shape.calls[0]].order_by)
            bytes += textBytes(batch.columns[key.slot]);
    }
    return bytes;
}

bool LocalGroups::makeRoom(u32 set, const Batch& batch, WorkerContext& context) {
    constexpr u64 kPlenty = 64 << 20; // it would be idle to measure texts
    bindKeys(set, batch);
    const u64 more = batchBytes(batch, context.room() < kPlenty);
    if (!context.hasRoom(memoryBytes(), more)) spill(context);
    return !context.failed();
}

void LocalGroups::settle(WorkerContext& context) {
    dropTables(context);
    if (context.spill == nullptr) return;
    // Tables of some parts at once, and the rows' way to their parts.
    constexpr u64 kTableBytes = 32;
    constexpr u64 kWhole = 32 << 10; // so few rows are merged in one piece
    u64 rows = groups_.rows.rowCount();
    u64 more = groups_.splitBytes();
    for (const auto& input : deferred_) {
        rows += input->rows.rowCount();
        more += input->splitBytes();
    }
    if (!shape_.hasKeys() && rows <= 1) return;
    // Of 64 parts as many as there are workers have a table; twice that for uneven ones.
    const u64 at_once = rows * 2 * context.memory->workers() / kPartitions;
    more += kTableBytes * (rows <= kWhole ? rows : std::clamp(at_once, kWhole, rows));
    // Each worker's least memory is there for it.
    more -= std::min(more, context.memory->workerBytes());
    if (context.mayKeep(memoryBytes()) && context.memory->hold(more)) held_to_merge_ = more;
    else spill(context);
}

bool LocalGroups::locate(u32 set, const Batch& batch, Assignment& to, WorkerContext& context) {
    if (!shape_.hasKeys()) return locateOnly(batch, to, context);
    return locateDirect(set, batch, to, context) ||
           (!context.failed() && locateHashed(batch, to, context));
}

bool LocalGroups::assign(const Batch& batch, Members& members, WorkerContext& context) {
    memory_.bind(context);
    if (!makeRoom(0, batch, context) || !locate(0, batch, assigned_, context)) return false;
    members = {assigned_.rows == nullptr ? kEveryRow.data() : assigned_.rows, assigned_.groups,
               assigned_.count};
    return true;
}

void LocalGroups::applyRest(const Batch& batch, const std::vector<bool>& done,
                            WorkerContext& context) {
    for (const u32 call : shape_.immediate)
        if (!done[call]) applyCall(call, batch, assigned_, context);
    for (u32 d = 0; d < shape_.deferred.size() && !context.failed(); ++d)
        collect(d, batch, assigned_, context);
}

void LocalGroups::consumeSet(u32 set, const Batch& batch, WorkerContext& context) {
    Assignment rows;
    if (!locate(set, batch, rows, context)) return;
    for (const u32 call : shape_.immediate) applyCall(call, batch, rows, context);
    for (u32 d = 0; d < shape_.deferred.size() && !context.failed(); ++d)
        collect(d, batch, rows, context);
}

void LocalGroups::bindKeys(u32 set, const Batch& batch) {
    for (u32 k = 0; k < shape_.key_count; ++k) {
        const bool grouped = shape_.sets[set] >> k & 1;
        keys_[k] =
            grouped ? batch.columns[shape_.sink.keys[k].slot] : nullVector(shape_.layout.kindOf(k));
    }
    if (shape_.has_sets)
        keys_[shape_.set_column] = {
            .kind = PhysicalKind::kI32, .form = VectorForm::kConstant, .data = &set_numbers_[set]};
    for (size_t c = 0; c < compared_.size(); ++c) compared_[c] = keys_[shape_.compared[c]];
}

// ---- Finding the group of every row.

bool LocalGroups::locateOnly(const Batch& batch, Assignment& to, WorkerContext& context) {
    if (only_group_ == nullptr) {
        const u64 hash = 0;
        if (!groups_.locate({}, nullptr, 1, &hash, &only_group_, context)) return false;
    }
    std::fill(located_, located_ + batch.selected, only_group_);
    to = {batch.selection, batch.selected, located_, true};
    return true;
}

bool LocalGroups::locateHashed(const Batch& batch, Assignment& to, WorkerContext& context) {
    const u32 count = batch.selected;
    hasher_.hash(compared_, batch.selection, count, hashes_);
    if (!groups_.locate(keys_, batch.selection, count, hashes_, located_, context)) return false;
    u32 changes = 0;
    for (u32 i = 1; i < count; ++i) changes += located_[i] != located_[i - 1];
    to = {batch.selection, count, located_, changes * 16 < count};
    return true;
}

/// Long texts have no name: only their bytes could tell them apart.
LocalGroups::CodesName LocalGroups::nameOfConstant(const Vector& constant) {
    if (constant.isNull(0)) return {CodesName::Kind::kNull};
    if (constant.kind == PhysicalKind::kText && !constant.values<TextView>()->isInline())
        return {CodesName::Kind::kNone};
    CodesName name{CodesName::Kind::kConstant};
    const u32 width = widthOf(constant.kind);
    std::memcpy(&name.low, constant.data, std::min(width, 8u));
    if (width > 8) std::memcpy(&name.high, static_cast<const u8*>(constant.data) + 8, 8);
    return name;
}

bool LocalGroups::prepareDirect(DirectIndex& index) {
    constexpr u32 kMostCodes = 4096;
    using Kind = CodesName::Kind;
    index.names.resize(compared_.size(), {Kind::kNone});
    index.sizes.resize(compared_.size());
    u64 codes = 1;
    bool stays = index.generation == groups_.generation() && !index.groups.empty();
    for (size_t k = 0; k < compared_.size(); ++k) {
        const Vector& key = compared_[k];
        CodesName name{Kind::kNone};
        u32 size = 0;
        if (key.form == VectorForm::kDictionary && key.dictionary_size < 256) {
            if (key.dictionary_id != 0) name = {Kind::kDictionary, key.dictionary_id};
            size = key.dictionary_size + 1;
        } else if (key.kind == PhysicalKind::kI8 && key.form == VectorForm::kFlat) {
            name = {Kind::kBytes};
            size = 257;
        } else if (key.form == VectorForm::kConstant) {
            // NULLs of a set and its number are the same for every batch; other constants differ.
            const bool of_set =
                shape_.has_sets && (key.data == kZeroValue || k + 1 == compared_.size());
            name = of_set ? CodesName{Kind::kOfSet} : nameOfConstant(key);
            size = 1;
        } else {
            return false;
        }
        codes *= size;
        if (codes > kMostCodes) return false;
        stays =
            stays && name.kind != Kind::kNone && index.names[k] == name && index.sizes[k] == size;
        index.names[k] = name;
        index.sizes[k] = size;
    }
    if (!stays) {
        index.groups.assign(codes, nullptr);
        index.known.clear();
    }
    index.generation = groups_.generation();
    return true;
}

void LocalGroups::readCodes(const DirectIndex& index, const Batch& batch) {
    const u32 count = batch.selected;
    std::fill(codes_, codes_ + count, u16(0));
    for (size_t k = 0; k < compared_.size(); ++k) {
        const Vector& key = compared_[k];
        const u32 size = index.sizes[k];
        if (size == 1) continue;
        const auto add = [&](auto code_of) {
            if (key.validity == nullptr) {
                for (u32 i = 0; i < count; ++i)
                    codes_[i] = u16(codes_[i] * size + code_of(batch.rowAt(i)));
            } else {
                for (u32 i = 0; i < count; ++i) {
                    const u32 row = batch.rowAt(i);
                    codes_[i] = u16(codes_[i] * size +
                                    (bitAt(key.validity, row) ? code_of(row) : size - 1));
                }
            }
        };
        if (key.form == VectorForm::kFlat) {
            const u8* bytes = static_cast<const u8*>(key.data);
            add([bytes](u32 row) { return u32(bytes[row]); });
        } else if (key.code_width == 1) {
            const u8* codes = static_cast<const u8*>(key.codes);
            add([codes](u32 row) { return u32(codes[row]); });
        } else {
            add([&key](u32 row) { return key.codeAt(row); });
        }
    }
}

bool LocalGroups::locateDirect(u32 set, const Batch& batch, Assignment& to,
                               WorkerContext& context) {
    DirectIndex& index = direct_[set];
    if (!prepareDirect(index)) return false;
    readCodes(index, batch);
    if (orderByKnownCodes(index, batch, to)) return true;
    // Rows may move while groups are added; then every group is looked up again.
    while (!fillDirect(index, batch, context)) {
        if (context.failed()) return false;
    }
    if (!orderByKnownCodes(index, batch, to)) orderByCode(index, batch, to);
    return true;
}

bool LocalGroups::fillDirect(DirectIndex& index, const Batch& batch, WorkerContext& context) {
    u8* const claimed = reinterpret_cast<u8*>(1);
    u16 missing[kVectorRows];
    u16 missing_rows[kVectorRows];
    u32 count = 0;
    for (u32 i = 0; i < batch.selected; ++i) {
        u8*& group = index.groups[codes_[i]];
        if (group != nullptr) [[likely]]
            continue;
        group = claimed;
        missing[count] = codes_[i];
        missing_rows[count++] = u16(batch.rowAt(i));
    }
    if (count == 0) return true;
    hasher_.hash(compared_, missing_rows, count, hashes_);
    if (!groups_.locate(keys_, missing_rows, count, hashes_, located_, context)) return false;
    if (groups_.generation() != index.generation) {
        std::fill(index.groups.begin(), index.groups.end(), nullptr);
        index.known.clear();
        index.generation = groups_.generation();
        return false;
    }
    for (u32 k = 0; k < count; ++k) {
        index.groups[missing[k]] = located_[k];
        index.known.push_back(missing[k]);
    }
    return true;
}

/// The same as orderByCode for very few codes, one SIMD pass each; false when another code is among
/// the rows, or runs would be short. No counter is carried from row to row.
bool LocalGroups::orderByKnownCodes(const DirectIndex& index, const Batch& batch, Assignment& to) {
    constexpr size_t kMostKnown = 16;
    static const kernels::BlockSteps& steps = *kernels::bs_choose_block_steps(nullptr);
    const u32 count = batch.selected;
    if (index.known.size() > kMostKnown || index.known.size() * 16 > count) return false;
    u32 at = 0;
    for (const u16 code : index.known) {
        u64 mask[kValidityWords];
        for (u32 word = 0; word * 64 < count; ++word)
            mask[word] = count - word * 64 >= 64 ? ~u64{0} : (u64{1} << (count - word * 64)) - 1;
        steps.between[1](codes_, i16(code), i16(code), count, mask);
        const u32 found = steps.selection_from_mask(mask, count, ordered_rows_ + at);
        std::fill_n(ordered_groups_ + at, found, index.groups[code]);
        at += found;
    }
    if (at != count) return false;
    if (batch.selection != nullptr)
        for (u32 i = 0; i < count; ++i) ordered_rows_[i] = batch.selection[ordered_rows_[i]];
    to = {ordered_rows_, count, ordered_groups_, true};
    return true;
}

/// With few groups in a batch, rows are put in the order of their groups, so that every aggregate
/// runs its loop over one state at a time.
void LocalGroups::orderByCode(const DirectIndex& index, const Batch& batch, Assignment& to) {
    constexpr u32 kMostOrdered = 512;
    const u32 count = batch.selected;
    const u32 codes = u32(index.groups.size());
    if (codes <= kMostOrdered) {
        u16 starts[kMostOrdered] = {};
        for (u32 i = 0; i < count; ++i) ++starts[codes_[i]];
        u32 distinct = 0;
        u16 at = 0;
        for (u32 code = 0; code < codes; ++code) {
            distinct += starts[code] != 0;
            const u16 next = u16(at + starts[code]);
            starts[code] = at;
            at = next;
        }
        if (distinct * 16 <= count) {
            for (u32 i = 0; i < count; ++i) {
                const u16 place = starts[codes_[i]]++;
                ordered_rows_[place] = u16(batch.rowAt(i));
                ordered_groups_[place] = index.groups[codes_[i]];
            }
            to = {ordered_rows_, count, ordered_groups_, true};
            return;
        }
    }
    for (u32 i = 0; i < count; ++i) located_[i] = index.groups[codes_[i]];
    to = {batch.selection, count, located_, false};
}

// ---- Applying calls.

LocalGroups::Assignment LocalGroups::livingRows(const Batch& batch,
                                                const std::vector<compile::Slot>& args,
                                                compile::Slot filter, const Assignment& from) {
    Assignment result = from;
    const auto keep = [&](auto passes) {
        const u16* rows = result.rows == nullptr ? kEveryRow.data() : result.rows;
        u32 kept = 0;
        for (u32 i = 0; i < result.count; ++i) {
            const u16 row = rows[i];
            u8* group = result.groups[i];
            living_rows_[kept] = row;
            living_groups_[kept] = group;
            kept += passes(row);
        }
        result.rows = living_rows_;
        result.groups = living_groups_;
        result.count = kept;
    };
    if (filter != compile::kNoSlot) {
        const Vector& condition = batch.columns[filter];
        keep([&](u32 row) { return !condition.isNull(row) && condition.valueAt<i8>(row) != 0; });
    }
    for (const compile::Slot slot : args) {
        const Vector& vector = batch.columns[slot];
        if (vector.validity == nullptr) continue;
        if (vector.form == VectorForm::kConstant) {
            if (vector.isNull(0)) result.count = 0;
            continue;
        }
        const u64* validity = vector.validity;
        keep([validity](u32 row) { return bitAt(validity, row); });
    }
    return result;
}

void LocalGroups::applyCall(u32 index, const Batch& batch, const Assignment& all,
                            WorkerContext& context) {
    static const std::vector<compile::Slot> kNoArgs;
    const auto& spec = shape_.sink.calls[index];
    const Assignment rows =
        livingRows(batch, spec.aggregate->sees_nulls ? kNoArgs : spec.args, spec.filter, all);
    if (rows.count == 0) return;
    Vector args[kMostArguments];
    BS_CHECK(spec.args.size() <= kMostArguments, "an aggregate of too many arguments");
    for (size_t a = 0; a < spec.args.size(); ++a) args[a] = batch.columns[spec.args[a]];
    const functions::AggregateCall call{
        {args, spec.args.size()}, spec.arg_types, spec.result, memory_, context.eval};
    const u32 offset = shape_.state_offsets[index];
    if (!rows.in_runs) {
        u8* states[kVectorRows];
        for (u32 i = 0; i < rows.count; ++i) states[i] = rows.groups[i] + offset;
        spec.aggregate->update(call, rows.rows, states, rows.count);
        return;
    }
    if (rows.groups[0] == rows.groups[rows.count - 1] && !shape_.hasKeys()) {
        spec.aggregate->update_one(call, rows.rows, rows.count, rows.groups[0] + offset);
        return;
    }
    const u16* row_numbers = rows.rows == nullptr ? kEveryRow.data() : rows.rows;
    for (u32 begin = 0, end = 0; begin < rows.count; begin = end) {
        while (end < rows.count && rows.groups[end] == rows.groups[begin]) ++end;
        spec.aggregate->update_one(call, row_numbers + begin, end - begin,
                                   rows.groups[begin] + offset);
    }
}

void LocalGroups::collect(u32 index, const Batch& batch, const Assignment& all,
                          WorkerContext& context) {
    const DeferredShape& shape = shape_.deferred[index];
    const auto& spec = shape_.sink.calls[shape.calls[0]];
    const Assignment rows = livingRows(batch, shape.args, shape.filter, all);
    if (rows.count == 0) return;
    const u16* numbers = rows.rows == nullptr ? kEveryRow.data() : rows.rows;

    hasher_.hash(compared_, numbers, rows.count, hashes_);
    for (u32 i = 0; i < rows.count; ++i) group_hash_of_row_[numbers[i]] = hashes_[i];
    wide_.clear();
    wide_.push_back({.kind = PhysicalKind::kI64, .data = group_hash_of_row_});
    wide_.insert(wide_.end(), keys_.begin(), keys_.end());
    for (const compile::Slot slot : shape.args) wide_.push_back(batch.columns[slot]);
    for (const auto& key : spec.order_by) wide_.push_back(batch.columns[key.slot]);

    const bool spreads = shape_.spreadsWithoutKeys(shape);
    if (shape.distinct || spreads) {
        const std::span<const Vector> args(wide_.data() + shape.first_arg, shape.args.size());
        argument_hashers_[index].hash(args, numbers, rows.count, argument_hashes_);
        constexpr u64 kLow = ~u64{0} >> kPartitionBits;
        for (u32 i = 0; i < rows.count; ++i) {
            // The partition stays that of the group.
            hashes_[i] = spreads ? argument_hashes_[i]
                                 : (hashes_[i] & ~kLow) |
                                       (kernels::combine(hashes_[i], argument_hashes_[i]) & kLow);
        }
    }
    KeyedRows& into = *deferred_[index];
    u8* located[kVectorRows];
    if (shape.distinct) {
        into.locate(wide_, numbers, rows.count, hashes_, located, context);
        return;
    }
    constexpr u64 kMostUnsplit = 64 << 10;
    if (into.rows.rowCount() > kMostUnsplit && !into.split(context)) return;
    into.rows.append(wide_, numbers, rows.count, hashes_, nullptr, context, "aggregate input");
}

} // namespace blueshift::execute
