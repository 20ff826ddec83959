// Aggregates at the end of a segment: one loop computes all arguments and updates all states.
#include <algorithm>

#include "compile/codegen/segment_writer.h"

namespace blueshift::compile {

using functions::FusedState;

namespace {

/// Values of a batch that are at most this large add up in 64 bits: 2^10 rows of 2^52.
constexpr i128 kMostPartial = i128(1) << 52;

/// The C++ type in which a run of values of this argument is summed.
const char* partialType(const SlotInfo& argument) {
    if (argument.kind == PhysicalKind::kI128) return "i128";
    const bool small =
        argument.has_range && argument.min >= -kMostPartial && argument.max <= kMostPartial;
    return widthOf(argument.kind) <= 4 || small ? "i64" : "i128";
}

const char* keptType(const SqlType& type) {
    switch (naturalKind(type)) {
    case PhysicalKind::kI128: return "i128";
    case PhysicalKind::kF32:
    case PhysicalKind::kF64: return "f64";
    default: return "i64";
    }
}

} // namespace

/// Accumulators of rows of one group: set before them, updated by each, then added to the group's
/// state. Equal sums and counts are kept once. They are variables, or fields of `Sums s`.
class SegmentWriter::Accumulators {
public:
    explicit Accumulators(bool fields) : fields_(fields) {}

    SourceText declarations; // of fields
    SourceText before;
    SourceText each;
    SourceText after;

    std::string add(const char* type, const std::string& initial, const std::string& update) {
        const std::string key = fmt::format("{} {} {}", type, initial, update);
        if (const auto found = known_.find(key); found != known_.end()) return found->second;
        std::string name = fmt::format("sum{}", known_.size());
        if (fields_) {
            declarations.line("{} {};", type, name);
            name = "s." + name;
            before.line("{} = {};", name, initial);
        } else {
            before.line("{} {} = {};", type, name, initial);
        }
        each.line("{};", fmt::format(fmt::runtime(update), name));
        known_.emplace(key, name);
        return name;
    }
    /// The rows that count: all, or those where `condition` holds.
    std::string rows(const std::string& condition) {
        if (condition.empty() && !fields_) return "rows";
        return add("u64", "0",
                   condition.empty() ? std::string("++{}") : "{} += bool(" + condition + ")");
    }

private:
    const bool fields_;
    std::map<std::string, std::string> known_;
};

void SegmentWriter::accumulate(const GroupSink::Call& call, u32 offset, LoopWriter& writer,
                               Accumulators& sums) {
    const auto slotOf = [&](Slot input) { return pipeline_.sink_slots[input]; };
    std::string condition;
    if (call.filter != kNoSlot) condition = writer.slot(slotOf(call.filter)).isTrue();
    LoopValue value;
    if (!call.args.empty()) {
        value = writer.slot(slotOf(call.args[0]));
        if (value.nullable()) condition += (condition.empty() ? "" : " & ") + value.valid;
    }
    const auto state = [&](const std::string& type) {
        return fmt::format("reinterpret_cast<{}*>(group + {})", type, offset);
    };
    const std::string guard = condition.empty() ? "" : fmt::format("if ({}) ", condition);
    switch (call.aggregate->fused) {
    case FusedState::kCount:
        sums.after.line("{}->count += {};", state("Count"), sums.rows(condition));
        return;
    case FusedState::kExactSum: {
        const SlotInfo& info = slots_[slotOf(call.args[0])].info;
        if (info.kind == PhysicalKind::kI128) {
            sums.each.line("{}{}->add(i128({}));", guard, state("ExactSum"), value.stored());
            return;
        }
        const char* type = partialType(info);
        const std::string term = condition.empty() ? fmt::format("{}({})", type, value.stored())
                                                   : fmt::format("({0}) ? {1}({2}) : {1}(0)",
                                                                 condition, type, value.stored());
        const std::string sum = sums.add(type, "0", "{} += " + term);
        sums.after.line("{}->addPartial({}, {});", state("ExactSum"), sum, sums.rows(condition));
        return;
    }
    case FusedState::kFloatSum: {
        // Starts from the state: the order of additions is the interpreter's.
        const std::string sum = sums.add("f64", state("FloatSum") + "->sum",
                                         guard + "{} += f64(" + value.stored() + ")");
        sums.after.line("{}->sum = {};", state("FloatSum"), sum);
        sums.after.line("{}->count += {};", state("FloatSum"), sums.rows(condition));
        return;
    }
    default: break;
    }
    const char* type = keptType(call.arg_types[0]);
    const std::string kept_type = fmt::format("Kept<{}>", type);
    const char* method = call.aggregate->fused == FusedState::kLeast      ? "keepLeast"
                         : call.aggregate->fused == FusedState::kGreatest ? "keepGreatest"
                                                                          : "keepFirst";
    const std::string kept =
        sums.add(kept_type.c_str(), "*" + state(kept_type),
                 fmt::format("{}{{}}.{}({}({}))", guard, method, type, value.stored()));
    sums.after.line("*{} = {};", state(kept_type), kept);
}

/// Few groups, whose keys may be dictionary codes or bytes: the runtime numbers them by a table.
bool SegmentWriter::groupsByNumber(const GroupSink& sink) const {
    constexpr f64 kMostNumbered = 256;
    if (sink.estimated_groups > kMostNumbered) return false;
    return std::all_of(sink.keys.begin(), sink.keys.end(), [&](const GroupSink::Key& key) {
        const SlotSource& source = slots_[pipeline_.sink_slots[key.slot]];
        return source.kind == SlotSource::Kind::kInput || source.info.kind == PhysicalKind::kI8;
    });
}

void SegmentWriter::updateGroups() {
    const auto& sink = std::get<GroupSink>(program_.sinks[pipeline_.sink].sink);
    const std::vector<u32>& offsets = shapes_.groups[pipeline_.sink].states;
    segment_.sink_slots = pipeline_.sink_slots;
    segment_.fused_calls = fused_;
    segment_.gives_tuples = space_ > 0;
    // Keys, and what the interpreter's aggregates read, must stand as columns.
    std::vector<bool> read(slots_.size(), false);
    bool rest = false;
    for (const auto& key : sink.keys) read[pipeline_.sink_slots[key.slot]] = true;
    for (size_t c = 0; c < sink.calls.size(); ++c) {
        if (fused_[c]) continue;
        rest = true;
        for (const Slot arg : sink.calls[c].args) read[pipeline_.sink_slots[arg]] = true;
        for (const auto& order : sink.calls[c].order_by)
            read[pipeline_.sink_slots[order.slot]] = true;
        if (sink.calls[c].filter != kNoSlot)
            read[pipeline_.sink_slots[sink.calls[c].filter]] = true;
    }
    materialise(read);
    const bool by_number = !sink.keys.empty() && groupsByNumber(sink);
    if (!sink.keys.empty() && !by_number) findGroups(sink);
    LoopWriter writer(slots_, space_, segment_);
    Accumulators sums(by_number);
    for (size_t c = 0; c < sink.calls.size(); ++c)
        if (fused_[c]) accumulate(sink.calls[c], offsets[c], writer, sums);
    if (sink.keys.empty()) body_.comment("aggregates of all rows");
    else if (by_number) body_.comment("aggregates by the number of the group");
    else body_.comment("aggregates, a run of rows of one group at a time");
    body_.open("");
    beforeLoop(writer);
    if (sink.keys.empty()) updateOnly(writer, sums);
    else if (by_number) updateByNumber(writer, sums);
    else updateByRun(writer, sums);
    afterLoop(writer);
    body_.close();
    if (rest) body_.line("bs_update_groups(f);");
    body_.line("return false;");
}

void SegmentWriter::updateOnly(LoopWriter& writer, const Accumulators& sums) {
    body_.line("u8* const group = bs_only_group(f);");
    body_.line("if (f->failed) return false;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 rows = {};", selected());
    body_.append(sums.before);
    body_.line("#pragma clang loop vectorize(enable)");
    body_.open("for (u32 i = 0; i < rows; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close();
    body_.append(sums.after);
}

void SegmentWriter::updateByNumber(LoopWriter& writer, const Accumulators& sums) {
    locals_.open("struct Sums");
    locals_.append(sums.declarations);
    locals_.close(" sums[kBatchRows];");
    body_.line("bs_number_groups(f);");
    body_.line("if (f->failed) return false;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u16* numbers = f->numbers;");
    body_.line("const u32 rows = {};", selected());
    const auto forGroups = [&](const SourceText& what) {
        body_.open("for (u32 n = 0; n < f->group_count; ++n)");
        body_.line("u8* const group = f->groups[n];");
        body_.line("Local::Sums& s = l->sums[n];");
        body_.append(what);
        body_.close();
    };
    forGroups(sums.before);
    body_.open("for (u32 i = 0; i < rows; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.line("Local::Sums& s = l->sums[numbers[i]];");
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close();
    forGroups(sums.after);
}

void SegmentWriter::updateByRun(LoopWriter& writer, const Accumulators& sums) {
    body_.line("const u16* members = {};", selection());
    body_.open("for (u32 run = 0; run < l->runs.count; ++run)");
    body_.line("u8* const group = l->runs.group[run];");
    body_.line("u32 i = l->runs.begin[run];");
    body_.line("const u32 end = l->runs.begin[run + 1];");
    body_.line("const u32 rows = end - i;");
    body_.append(sums.before);
    body_.open("do");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close(" while (++i < end);");
    body_.append(sums.after);
    body_.close();
}

/// The stages of looking up groups, by runs of equal keys. What is not found at its first place is
/// left to the runtime.
void SegmentWriter::findGroups(const GroupSink& sink) {
    const GroupRowShape& shape = shapes_.groups[pipeline_.sink];
    LoopWriter writer(slots_, space_, segment_);
    SourceText arrays; // the keys of a stage's runs
    SourceText last;   // the keys of the row before
    SourceText keep;   // of this row
    std::string names;
    std::string same = "(i > base)";
    std::string hash;
    std::string test = "load<u64>(candidate, 0) == hashes[j]";
    for (u32 k = 0; k < sink.keys.size(); ++k) {
        const Slot slot = pipeline_.sink_slots[sink.keys[k].slot];
        names += (names.empty() ? "" : ", ") + slots_[slot].name;
        if (sink.keys[k].dependent) continue;
        const RowField& field = shape.keys[k];
        const LoopValue value = writer.slot(slot);
        const bool text = value.kind == PhysicalKind::kText;
        const bool nullable = value.nullable();
        const char* type = typeName(slots_[slot].info.kind);
        const auto equals = [&](const std::string& a, const std::string& b) {
            return text ? fmt::format("equal({}, {})", a, b)
                        : fmt::format("equal<{}>({}, {})", type, a, b);
        };
        const std::string key = fmt::format("k{}", k);
        arrays.line("{} key{}[kStageRows];", type, k);
        last.line("{} last{} = {{}};", type, k);
        // The bytes of a NULL mean nothing: a text's pointer must not be followed.
        if (nullable)
            writer.body().line("const {} {} = {} ? {} : {}{{}};", type, key, value.valid,
                               value.stored(), type);
        else writer.body().line("const {} {} = {};", type, key, value.stored());
        same += fmt::format(" & {}", equals(key, fmt::format("last{}", k)));
        keep.line("key{}[n] = last{} = {};", k, k, key);
        std::string one =
            text ? fmt::format("hashText({})", key) : fmt::format("hashKey<{}>({})", type, key);
        std::string found = equals(fmt::format("load<{}>(candidate, {})", type, field.offset),
                                   fmt::format("key{}[j]", k));
        const std::string is_null =
            field.nullable
                ? fmt::format("(candidate[{}] & {}) != 0", field.null_byte, u32(field.null_mask))
                : "false";
        if (nullable) {
            arrays.line("bool valid{}[kStageRows];", k);
            last.line("bool last_valid{} = false;", k);
            same += fmt::format(" & ({} == last_valid{})", value.valid, k);
            keep.line("valid{}[n] = last_valid{} = {};", k, k, value.valid);
            one = fmt::format("({} ? {} : kNullHash)", value.valid, one);
            found = fmt::format("({} ? !valid{}[j] : valid{}[j] && {})", is_null, k, k, found);
        } else if (field.nullable) {
            found = fmt::format("!({}) && {}", is_null, found);
        }
        test += " && " + found;
        hash = hash.empty() ? one : fmt::format("combine({}, {})", hash, one);
    }
    locals_.line("GroupRuns runs;");
    body_.comment("groups of {}", names);
    body_.open("");
    beforeLoop(writer);
    body_.line("bs_open_groups(f);");
    body_.line("if (f->failed) return false;");
    body_.line("GroupRuns& runs = l->runs;");
    body_.line("runs.count = runs.missing_count = 0;");
    body_.line("const u16* members = {};", selection());
    body_.line("const u32 selected = {};", selected());
    body_.open("for (u32 base = 0; base < selected; base += kStageRows)");
    body_.line("const u32 stage_end = smaller(base + kStageRows, selected);");
    body_.append(arrays);
    body_.append(last);
    body_.line("u64* hashes = runs.hash + runs.count;");
    body_.line("u16* begin = runs.begin + runs.count;");
    body_.line("u32 n = 0;");
    body_.open("for (u32 i = base; i < stage_end; ++i)");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    body_.line("const bool same = {};", same);
    body_.append(keep);
    body_.line("hashes[n] = {};", hash);
    body_.line("begin[n] = u16(i);");
    body_.line("n += !same;");
    body_.close();
    body_.line("u8** groups = runs.group + runs.count;");
    body_.line("bs_find_groups(f, hashes, n, groups);");
    body_.open("for (u32 j = 0; j < n; ++j)");
    body_.line("const u8* candidate = groups[j];");
    body_.line("if (candidate != nullptr && {}) continue;", test);
    body_.line("runs.missing[runs.missing_count++] = u16(runs.count + j);");
    body_.close();
    body_.line("runs.count += n;");
    body_.close();
    afterLoop(writer);
    body_.line("runs.begin[runs.count] = u16(selected);");
    body_.line("bs_add_groups(f, &runs);");
    body_.line("if (f->failed) return false;");
    body_.close();
}

} // namespace blueshift::compile
