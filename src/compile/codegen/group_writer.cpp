// Aggregates at the end of a segment: one loop computes all arguments and updates all states.
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

/// Accumulators of a run of rows of one group: declared before it, filled in it, added to the
/// group's state after it. Equal sums and counts are kept once.
struct SegmentWriter::Accumulators {
    SourceText before;
    SourceText each;
    SourceText after;
    std::map<std::string, std::string> known;
    u32 next = 0;

    std::string add(const char* type, const std::string& initial, const std::string& update) {
        const std::string key = fmt::format("{} {} {}", type, initial, update);
        if (const auto found = known.find(key); found != known.end()) return found->second;
        const std::string name = fmt::format("sum{}", next++);
        before.line("{} {} = {};", type, name, initial);
        each.line("{};", fmt::format(fmt::runtime(update), name));
        known.emplace(key, name);
        return name;
    }
    /// The rows that count: all of the run, or those where `condition` holds.
    std::string rows(const std::string& condition) {
        if (condition.empty()) return "run";
        return add("u64", "0", "{} += bool(" + condition + ")");
    }
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

void SegmentWriter::updateGroups() {
    const auto& sink = std::get<GroupSink>(program_.sinks[pipeline_.sink].sink);
    const std::vector<u32>& offsets = shapes_.group_states[pipeline_.sink];
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
    LoopWriter writer(slots_, space_, segment_);
    Accumulators sums;
    for (size_t c = 0; c < sink.calls.size(); ++c)
        if (fused_[c]) accumulate(sink.calls[c], offsets[c], writer, sums);
    body_.comment("aggregates, a run of rows of one group at a time");
    body_.open("");
    beforeLoop(writer);
    body_.line("bs_assign_groups(f);");
    body_.line("if (f->failed) return false;");
    body_.line("const u16* members = f->group_rows;");
    body_.line("u8* const* groups = f->groups;");
    body_.line("const u32 count = f->group_count;");
    body_.open("for (u32 begin = 0; begin < count;)");
    body_.line("u8* const group = groups[begin];");
    body_.line("u32 i = begin;");
    body_.append(sums.before);
    body_.open("do");
    body_.line("const u32 {} = members[i];", writer.member());
    body_.append(writer.body());
    body_.append(sums.each);
    body_.close(sink.keys.empty() ? " while (++i < count);"
                                  : " while (++i < count && groups[i] == group);");
    body_.line("const u32 run = i - begin;");
    body_.append(sums.after);
    body_.line("begin = i;");
    body_.close();
    afterLoop(writer);
    body_.close();
    if (rest) body_.line("bs_update_groups(f);");
    body_.line("return false;");
}

} // namespace blueshift::compile
