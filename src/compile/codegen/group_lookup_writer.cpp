// Groups that are looked up: by hash or by value, in stages; declared in segment_writer.h.
#include <algorithm>

#include "compile/codegen/accumulators.h"
#include "compile/codegen/segment_writer.h"

namespace blueshift::compile {

/// Up to the head of the loop over stages. `open` makes what the stages look into.
void SegmentWriter::openStages(LoopWriter& keys, const std::string& names, const char* open) {
    locals_.line("GroupRuns runs;");
    body_.comment("groups of {}", names);
    beforeLoop(keys);
    body_.line("{}", open);
    body_.line("if (f->failed) return false;");
    body_.line("GroupRuns& runs = l->runs;");
    body_.line("runs.count = 0;");
    openStageLoop("");
    body_.line("const u32 first = runs.count;");
    body_.line("runs.missing_count = 0;");
}

/// The loop that writes down the rows that begin a run: what it keeps of them stands at [n]. To be
/// ended by closeRows(), before which the text says whether the row has the keys of the one before:
/// `same`.
void SegmentWriter::openRows(LoopWriter& keys) {
    body_.line("u16* begin = runs.begin + first;");
    body_.line("u32 n = 0;");
    body_.open("for (u32 i = base; i < stage_end; ++i)");
    body_.line("const u32 {} = members[i];", keys.member());
    body_.append(keys.body());
}

void SegmentWriter::closeRows(LoopWriter& keys) {
    body_.line("begin[n] = u16(i);");
    body_.line("n += !same;");
    body_.close();
    afterLoop(keys);
    body_.line("runs.count += n;");
    body_.line("runs.begin[runs.count] = u16(stage_end);");
}

/// The end of a stage: its groups are updated while their rows are near.
void SegmentWriter::updateRuns(const LoopWriter& updates, const Accumulators& sums) {
    body_.line("if (f->failed) return false;");
    body_.comment("aggregates, a run of rows of one group at a time");
    body_.open("for (u32 run = first; run < runs.count; ++run)");
    body_.line("u8* const group = runs.group[run];");
    body_.line("u32 i = runs.begin[run];");
    body_.line("const u32 end = runs.begin[run + 1];");
    body_.line("const u32 rows = end - i;");
    body_.append(sums.before);
    body_.open("do");
    body_.line("const u32 {} = members[i];", updates.member());
    body_.append(updates.body());
    body_.append(sums.each);
    body_.close(" while (++i < end);");
    body_.append(sums.after);
    body_.close();
    body_.close();
}

/// By runs of equal keys. What is not found at its first place is left to the runtime.
void SegmentWriter::updateByHash(const GroupSink& sink, const LoopWriter& updates,
                                 const Accumulators& sums) {
    const GroupRowShape& shape = shapes_.groups[pipeline_.sink];
    LoopWriter writer(slots_, space_, segment_);
    writer.avoidNames(updates);
    SourceText arrays; // the keys of a stage's runs
    SourceText keep;   // of this row
    std::string names;
    std::string same = "n > 0 && hash == hashes[n - 1]";
    std::string hash;
    std::string test = "load<u64>(group, 0) == hashes[j]";
    for (u32 k = 0; k < sink.keys.size(); ++k) {
        const Slot slot = pipeline_.sink_slots[sink.keys[k].slot];
        names += (names.empty() ? "" : ", ") + slots_[slot].name;
        if (sink.keys[k].dependent) continue;
        const RowField& field = shape.keys[k];
        const LoopValue value = writer.slot(slot);
        const bool nullable = value.nullable();
        const PhysicalKind kind = slots_[slot].info.kind;
        const bool text = kind == PhysicalKind::kText;
        const std::string key = fmt::format("k{}", k);
        arrays.line("{} key{}[kStageRows];", arrayType(kind), k);
        // The bytes of a NULL mean nothing: a text's pointer must not be followed.
        const std::string none = text ? "&kNoText" : fmt::format("{}{{}}", typeName(kind));
        writer.body().line("const {} {} = {};", valueType(kind), key,
                           nullable ? fmt::format("{} ? {} : {}", value.valid, value.stored(), none)
                                    : value.stored());
        same += fmt::format(" && {}", equality(kind, key, fmt::format("key{}[n - 1]", k)));
        keep.line("key{}[n] = {};", k, key);
        std::string one = hashOf(kind, key);
        std::string found =
            equality(kind, fieldOf(kind, "group", field.offset), fmt::format("key{}[j]", k));
        const std::string is_null =
            field.nullable
                ? fmt::format("(group[{}] & {}) != 0", field.null_byte, u32(field.null_mask))
                : "false";
        if (nullable) {
            arrays.line("bool valid{}[kStageRows];", k);
            same += fmt::format(" && {} == valid{}[n - 1]", value.valid, k);
            keep.line("valid{}[n] = {};", k, value.valid);
            one = fmt::format("({} ? {} : kNullHash)", value.valid, one);
            found = fmt::format("({} ? !valid{}[j] : valid{}[j] && {})", is_null, k, k, found);
        } else if (field.nullable) {
            found = fmt::format("!({}) && {}", is_null, found);
        }
        test += " && " + found;
        hash = hash.empty() ? one : fmt::format("combine({}, {})", hash, one);
    }
    openStages(writer, names, "const GroupSlots slots = bs_open_groups(f);");
    body_.append(arrays);
    body_.line("u64* hashes = runs.hash + first;");
    openRows(writer);
    body_.line("const u64 hash = {};", hash);
    body_.line("__builtin_prefetch(slots.first + (hash & slots.mask));");
    body_.line("const bool same = {};", same);
    body_.line("hashes[n] = hash;");
    body_.append(keep);
    closeRows(writer);
    body_.line("bs_find_groups(f, hashes, n, runs.group + first);");
    body_.open("for (u32 j = 0; j < n; ++j)");
    body_.line("const u8* group = runs.group[first + j];");
    body_.open("if (group != nullptr && {})", test);
    // States may lie in the cache line after that of the keys.
    body_.line("__builtin_prefetch(group + {});", shape.states.empty() ? 0 : shape.states.back());
    body_.line("continue;");
    body_.close();
    body_.line("runs.missing[runs.missing_count++] = u16(first + j);");
    body_.close();
    body_.line("bs_add_groups(f, &runs, first);");
    updateRuns(updates, sums);
}

/// Every key that may be NULL in this pipeline has a number for NULL.
bool SegmentWriter::canIndex(const std::vector<GroupRange>& ranges) const {
    const SinkInfo& sink = program_.sinks[pipeline_.sink];
    return std::all_of(ranges.begin(), ranges.end(), [&](const GroupRange& range) {
        const Slot slot = std::get<GroupSink>(sink.sink).keys[range.key].slot;
        return sink.input[slot].nullable || !slots_[pipeline_.sink_slots[slot]].info.nullable;
    });
}

/// The same where keys have few values: the groups stand at their numbers, without hashes.
void SegmentWriter::updateByValue(const std::vector<GroupRange>& ranges, const LoopWriter& updates,
                                  const Accumulators& sums) {
    const auto& sink = std::get<GroupSink>(program_.sinks[pipeline_.sink].sink);
    LoopWriter writer(slots_, space_, segment_);
    writer.avoidNames(updates);
    std::string names;
    std::string within;
    std::string number;
    for (u32 r = 0; r < ranges.size(); ++r) {
        const Slot slot = pipeline_.sink_slots[sink.keys[ranges[r].key].slot];
        names += (names.empty() ? "" : ", ") + slots_[slot].name;
        const LoopValue value = writer.slot(slot);
        std::string code = fmt::format("u64({}) - index.least[{}]", value.stored(), r);
        if (value.nullable()) code = fmt::format("{} ? {} : 0", value.valid, code);
        writer.body().line("const u64 n{} = {};", r, code);
        within += fmt::format("{}(n{} < index.extent[{}])", r == 0 ? "" : " & ", r, r);
        number += r == 0 ? "n0" : fmt::format(" + n{} * index.stride[{}]", r, r);
    }
    const std::vector<u32>& states = shapes_.groups[pipeline_.sink].states;
    openStages(writer, names, "const GroupIndex& index = *bs_open_index(f);");
    body_.line("u8** places[kStageRows];");
    body_.line("u64 last = ~u64(0);");
    openRows(writer);
    body_.line("const u64 number = ({}) ? {} : index.size;", within, number);
    body_.line("places[n] = index.groups + number;");
    body_.line("__builtin_prefetch(places[n]);");
    body_.line("const bool same = number == last && number != index.size;");
    body_.line("last = number;");
    closeRows(writer);
    body_.open("for (u32 j = 0; j < n; ++j)");
    body_.line("u8* const group = *places[j];");
    body_.line("runs.group[first + j] = group;");
    body_.line("__builtin_prefetch(group + {});", states.empty() ? 0 : states.front());
    body_.line("__builtin_prefetch(group + {});", states.empty() ? 0 : states.back());
    body_.line("if (group == nullptr) runs.missing[runs.missing_count++] = u16(first + j);");
    body_.close();
    body_.line("bs_add_indexed(f, &runs, first, places);");
    updateRuns(updates, sums);
}

} // namespace blueshift::compile
