#include "compile/codegen/loop_writer.h"

#include <algorithm>

#include "base/check.h"
#include "compile/codegen/segment_plan.h"

namespace blueshift::compile {

using functions::Operator;

namespace {

bool isFloat(PhysicalKind kind) {
    return kind == PhysicalKind::kF32 || kind == PhysicalKind::kF64;
}

u32 scratchCount(const EvalNode& node) {
    u32 count = node.scratch + 1;
    for (const EvalNode* arg : node.args) count = std::max(count, scratchCount(*arg));
    return count;
}

std::string_view arithmeticName(Operator op) {
    switch (op) {
    case Operator::kAdd: return "add";
    case Operator::kSubtract: return "subtract";
    case Operator::kMultiply: return "multiply";
    case Operator::kDivide: return "divide";
    case Operator::kModulo: return "modulo";
    default: return "negate";
    }
}

std::string comparison(Operator op, const char* type, const std::string& a, const std::string& b) {
    switch (op) {
    case Operator::kEqual: return fmt::format("equal<{}>({}, {})", type, a, b);
    case Operator::kNotEqual: return fmt::format("!equal<{}>({}, {})", type, a, b);
    case Operator::kLess: return fmt::format("less<{}>({}, {})", type, a, b);
    case Operator::kLessEqual: return fmt::format("lessEqual<{}>({}, {})", type, a, b);
    case Operator::kGreater: return fmt::format("less<{}>({}, {})", type, b, a);
    default: return fmt::format("lessEqual<{}>({}, {})", type, b, a);
    }
}

} // namespace

const char* typeName(PhysicalKind kind) {
    switch (kind) {
    case PhysicalKind::kI8: return "i8";
    case PhysicalKind::kI16: return "i16";
    case PhysicalKind::kI32: return "i32";
    case PhysicalKind::kI64: return "i64";
    case PhysicalKind::kI128: return "i128";
    case PhysicalKind::kF32: return "f32";
    case PhysicalKind::kF64: return "f64";
    default: return "TextView";
    }
}

const char* valueType(PhysicalKind kind) {
    return kind == PhysicalKind::kText ? "TextView*" : typeName(kind);
}

std::string arrayType(PhysicalKind kind) {
    return kind == PhysicalKind::kText ? "const TextView*" : typeName(kind);
}

std::string fieldOf(PhysicalKind kind, const std::string& row, u32 offset) {
    if (kind == PhysicalKind::kText) return fmt::format("textAt({}, {})", row, offset);
    return fmt::format("load<{}>({}, {})", typeName(kind), row, offset);
}

std::string equality(PhysicalKind kind, const std::string& a, const std::string& b) {
    if (kind == PhysicalKind::kText) return fmt::format("bs_equal_texts({}, {})", a, b);
    return fmt::format("equal<{}>({}, {})", typeName(kind), a, b);
}

std::string hashOf(PhysicalKind kind, const std::string& value) {
    if (kind == PhysicalKind::kText) return fmt::format("bs_hash_text({})", value);
    return fmt::format("hashKey<{}>({})", typeName(kind), value);
}

std::string LoopValue::isTrue() const {
    const std::string truth = boolean ? name : name + " != 0";
    return nullable() ? fmt::format("({} & ({}))", valid, truth) : truth;
}

std::string LoopValue::stored() const {
    return boolean ? "i8(" + name + ")" : name;
}

std::string LoopWriter::define(const char* type, const std::string& expression,
                               std::string_view hint) {
    const std::string key = std::string(type) + " " + expression;
    if (const auto found = defined_.find(key); found != defined_.end()) return found->second;
    std::string name = hint.empty() ? fmt::format("v{}", next_++) : std::string(hint);
    while (!names_.insert(name).second) name += "_";
    body_.line("const {} {} = {};", type, name, expression);
    defined_.emplace(key, name);
    return name;
}

std::string LoopWriter::sourceRow() {
    if (space_ == 0) return "row";
    return define("u32", fmt::format("l->row{}[tuple]", space_), "row");
}

std::string LoopWriter::allValid(const std::vector<LoopValue>& args) {
    std::string all;
    for (const LoopValue& arg : args) {
        if (!arg.nullable()) continue;
        if (!all.empty() && all.find(arg.valid) != std::string::npos) continue;
        all += (all.empty() ? "" : " & ") + arg.valid;
    }
    if (all.find('&') == std::string::npos) return all;
    return define("bool", all);
}

LoopValue LoopWriter::column(const std::string& getter, const std::string& name, PhysicalKind kind,
                             bool nullable, const std::string& index) {
    auto found = columns_.find(getter);
    if (found == columns_.end()) {
        std::string unique = name;
        while (!names_.insert(unique).second) unique += "_";
        if (nullable) {
            prologue_.line("const Column {}_column = {};", unique, getter);
            prologue_.line("const {0}* {1} = valuesOf<{0}>({1}_column);", typeName(kind), unique);
            prologue_.line("const u64* {0}_valid = {0}_column.validity;", unique);
        } else {
            prologue_.line("const {0}* {1} = valuesOf<{0}>({2});", typeName(kind), unique, getter);
        }
        found = columns_.emplace(getter, unique).first;
    }
    const std::string& unique = found->second;
    LoopValue value{.kind = kind};
    value.name = kind == PhysicalKind::kText
                     ? define(valueType(kind), fmt::format("{} + {}", unique, index))
                     : define(valueType(kind), fmt::format("{}[{}]", unique, index));
    if (nullable) value.valid = define("bool", fmt::format("isValid({}_valid, {})", unique, index));
    return value;
}

LoopValue LoopWriter::slot(Slot number) {
    const SlotSource& source = slots_[number];
    const SlotInfo& info = source.info;
    switch (source.kind) {
    case SlotSource::Kind::kInput:
        return column(fmt::format("bs_column(f, {})", number), source.name, info.kind,
                      info.nullable, sourceRow());
    case SlotSource::Kind::kStored:
        if (source.space == 0)
            return column(fmt::format("bs_column(f, {})", number), source.name, info.kind,
                          info.nullable, sourceRow());
        BS_CHECK(source.space == space_, "a value of another space");
        return column(fmt::format("bs_tuple_column(f, {})", number), source.name, info.kind,
                      info.nullable, "tuple");
    case SlotSource::Kind::kLazy: return value(source.root);
    case SlotSource::Kind::kBuild: break;
    }
    LoopValue value{.kind = info.kind};
    const bool bound = candidate_of_ == i64(source.probe);
    const std::string row =
        bound ? "candidate"
              : define("u8*", fmt::format("l->match{}_{}[{}]", source.probe, space_, member()),
                       fmt::format("match{}", source.probe));
    value.name = define(valueType(info.kind), fieldOf(info.kind, row, source.offset));
    std::string valid;
    if (source.null_bit)
        valid = fmt::format("({}[{}] & {}) == 0", row, source.null_byte, source.null_mask);
    if (source.may_miss && !bound) {
        const std::string there = fmt::format("{} != tables[{}]->null_row", row, source.probe);
        valid = valid.empty() ? there : fmt::format("({}) & ({})", there, valid);
    }
    if (!valid.empty()) value.valid = define("bool", valid);
    return value;
}

std::string LoopWriter::parameter(const EvalNode& node) {
    if (const auto found = parameters_.find(&node); found != parameters_.end())
        return found->second;
    const u32 index = u32(segment_.parameters.size());
    segment_.parameters.push_back({node.constant, node.kind});
    const std::string name = fmt::format("p{}", index);
    const char* from = isFloat(node.kind) ? "float_parameters" : "parameters";
    prologue_.line("const {0} {1} = {0}(f->{2}[{3}]);", typeName(node.kind), name, from, index);
    parameters_.emplace(&node, name);
    return name;
}

LoopValue LoopWriter::constant(const EvalNode& node) {
    if (node.constant.is_null)
        return {
            .name = fmt::format("{}(0)", typeName(node.kind)), .valid = "false", .kind = node.kind};
    return {.name = parameter(node), .kind = node.kind};
}

LoopValue LoopWriter::external(const EvalNode* node) {
    auto found = externals_.find(node);
    if (found == externals_.end()) {
        found = externals_.emplace(node, u32(segment_.externals.size())).first;
        segment_.externals.push_back({.expression = {node, scratchCount(*node)}});
        evaluated_.push_back(node);
        prologue_.comment("interpreted: {}", describe(*node, slots_));
    }
    const u32 index = found->second;
    return column(fmt::format("bs_evaluate(f, {})", index), fmt::format("x{}", index), node->kind,
                  node->nullable, member());
}

LoopValue LoopWriter::value(const EvalNode* node) {
    if (!isWritable(*node)) return external(node);
    switch (node->op) {
    case EvalOp::kSlot: return slot(node->slot);
    case EvalOp::kConstant: return constant(*node);
    case EvalOp::kCall: return call(*node);
    case EvalOp::kCase:
    case EvalOp::kCoalesce: return choice(*node);
    case EvalOp::kInList: return inList(*node);
    default: return logic(*node);
    }
}

LoopValue LoopWriter::call(const EvalNode& node) {
    std::vector<LoopValue> args;
    for (const EvalNode* arg : node.args) args.push_back(value(arg));
    const char* type = typeName(node.kind);
    const std::string valid = allValid(args);
    if (node.function == nullptr) {
        if (args.size() == 1)
            return {define(type, fmt::format("{}({})", type, args[0].stored())), valid, node.kind};
        return {define(type, fmt::format("multiply<{}>({}, {})", type, args[0].stored(),
                                         args[1].stored())),
                valid, node.kind};
    }
    const Operator op = node.function->op;
    if (op >= Operator::kEqual && op <= Operator::kGreaterEqual) {
        const char* compared = typeName(args[0].kind);
        return {define("bool", comparison(op, compared, args[0].stored(), args[1].stored())), valid,
                node.kind, true};
    }
    return arithmetic(node, args, valid);
}

LoopValue LoopWriter::arithmetic(const EvalNode& node, const std::vector<LoopValue>& args,
                                 const std::string& valid) {
    const Operator op = node.function->op;
    const char* type = typeName(node.kind);
    const std::string a = args[0].stored();
    const std::string b = args.size() > 1 ? args[1].stored() : "";
    const std::string name(arithmeticName(op));
    const bool floats = isFloat(node.kind);
    if (floats && op == Operator::kNegate) return {define(type, "-" + a), valid, node.kind};
    if (!node.can_fail) {
        const std::string text = op == Operator::kNegate
                                     ? fmt::format("subtract<{}>({}(0), {})", type, type, a)
                                     : fmt::format("{}<{}>({}, {})", name, type, a, b);
        return {define(type, text), valid, node.kind};
    }
    const std::string key = fmt::format("checked {} {} {} {}", type, name, a, b);
    if (const auto found = defined_.find(key); found != defined_.end())
        return {found->second, valid, node.kind};
    const u32 operation = u32(segment_.operations.size());
    segment_.operations.push_back(&node);
    const std::string flags = fmt::format("flags{}", operation);
    const std::string raised = fmt::format("raised{}", operation);
    flags_.emplace_back(flags, operation);
    std::string text;
    const bool decimal = node.type.kind == TypeKind::kDecimal;
    if (floats) {
        text = fmt::format("{}({}Float({}, {}, {}))", type, name, a, b, raised);
    } else if (op == Operator::kDivide && decimal) {
        const int digits =
            int(node.type.scale) - int(node.arg_types[0].scale) + int(node.arg_types[1].scale);
        const int power = digits < 0 ? -digits : digits > 38 ? 38 : digits;
        prologue_.line("constexpr i128 power{} = powerOfTen({});", operation, power);
        text = fmt::format("divideScaled<{}>({}, {}, {}, power{}, {})", type, a, b, digits,
                           operation, raised);
    } else if (op == Operator::kNegate) {
        text = fmt::format("negateChecked<{}>({}, {})", type, a, raised);
    } else {
        text = fmt::format("{}Checked<{}>({}, {}, {})", name, type, a, b, raised);
        if (decimal && node.kind == PhysicalKind::kI128)
            text = fmt::format("checkDecimal<i128>({}, {})", text, raised);
    }
    const std::string result = fmt::format("v{}", next_++);
    body_.line("u32 {} = 0;", raised);
    body_.line("const {} {} = {};", type, result, text);
    if (valid.empty()) body_.line("{} |= {};", flags, raised);
    else body_.line("{} |= {} ? {} : 0;", flags, valid, raised);
    defined_.emplace(key, result);
    return {result, valid, node.kind};
}

LoopValue LoopWriter::logic(const EvalNode& node) {
    std::vector<LoopValue> args;
    for (const EvalNode* arg : node.args) args.push_back(value(arg));
    const auto truth = [](const LoopValue& v) {
        return v.boolean ? v.name : "(" + v.name + " != 0)";
    };
    switch (node.op) {
    case EvalOp::kNot:
        return {define("bool", "!" + truth(args[0])), args[0].valid, node.kind, true};
    case EvalOp::kIsNull: {
        const std::string valid = args[0].nullable() ? args[0].valid : "true";
        return {define("bool", node.negated ? "bool(" + valid + ")" : "!" + valid), "", node.kind,
                true};
    }
    case EvalOp::kIsTruth: {
        const std::string valid = args[0].nullable() ? args[0].valid : "true";
        std::string text = node.truth < 0    ? "!" + valid
                           : node.truth == 0 ? fmt::format("({} & !{})", valid, truth(args[0]))
                                             : fmt::format("({} & {})", valid, truth(args[0]));
        if (node.negated) text = "!" + text;
        return {define("bool", text), "", node.kind, true};
    }
    default: break;
    }
    // AND is false when an arm is false, else NULL when an arm is NULL; OR mirrors it.
    const bool is_and = node.op == EvalOp::kAnd;
    std::string result;
    std::string decided; // some arm alone decides
    bool nullable = false;
    for (const LoopValue& arg : args) {
        nullable |= arg.nullable();
        const std::string held = arg.nullable() && !is_and
                                     ? fmt::format("({} & {})", arg.valid, truth(arg))
                                     : truth(arg);
        result += (result.empty() ? "" : is_and ? " & " : " | ") + held;
        const std::string decides =
            is_and ? (arg.nullable() ? fmt::format("({} & !{})", arg.valid, truth(arg))
                                     : "!" + truth(arg))
                   : held;
        decided += (decided.empty() ? "" : " | ") + decides;
    }
    LoopValue value{define("bool", result), "", node.kind, true};
    if (nullable) {
        std::string all;
        for (const LoopValue& arg : args)
            if (arg.nullable()) all += (all.empty() ? "" : " & ") + arg.valid;
        value.valid = define("bool", fmt::format("({}) | {}", all, decided));
    }
    return value;
}

LoopValue LoopWriter::choice(const EvalNode& node) {
    // From the last arm to the first: each earlier one takes precedence.
    const bool is_case = node.op == EvalOp::kCase;
    const char* type = typeName(node.kind);
    std::vector<LoopValue> args;
    for (const EvalNode* arg : node.args) args.push_back(value(arg));
    std::string name = fmt::format("{}(0)", type);
    std::string valid = "false";
    size_t end = args.size();
    if (!is_case || node.has_else) {
        name = args[end - 1].stored();
        valid = args[end - 1].nullable() ? args[end - 1].valid : "true";
        --end;
    }
    const size_t step = is_case ? 2 : 1;
    for (size_t at = end; at >= step; at -= step) {
        const LoopValue& then = args[at - 1];
        const std::string taken =
            is_case ? args[at - 2].isTrue() : (then.nullable() ? then.valid : "true");
        const std::string then_valid = then.nullable() ? then.valid : "true";
        if (valid != "true" || then_valid != "true")
            valid = define("bool", fmt::format("({}) ? {} : {}", taken, then_valid, valid));
        name = define(type, fmt::format("({}) ? {} : {}", taken, then.stored(), name));
    }
    return {name, valid == "true" ? "" : valid, node.kind};
}

LoopValue LoopWriter::inList(const EvalNode& node) {
    const LoopValue probe = value(node.args[0]);
    std::string any;
    bool null_item = false;
    for (u32 i = 1; i < node.args.size(); ++i) {
        if (node.args[i]->constant.is_null) {
            null_item = true;
            continue;
        }
        const PhysicalKind kind =
            widthOf(node.args[i]->kind) > widthOf(probe.kind) ? node.args[i]->kind : probe.kind;
        const LoopValue item = value(node.args[i]);
        any += (any.empty() ? "" : " | ") + fmt::format("equal<{0}>({0}({1}), {0}({2}))",
                                                        typeName(kind), probe.stored(), item.name);
    }
    const std::string found = define("bool", any.empty() ? "false" : any);
    // No match among items with a NULL is NULL.
    std::string valid = probe.valid;
    if (null_item)
        valid = valid.empty() ? found : define("bool", fmt::format("{} & {}", valid, found));
    return {node.negated ? define("bool", "!" + found) : found, valid, node.kind, true};
}

std::string describe(const EvalNode& node, const SlotSources& slots) {
    const auto list = [&](std::string_view between) {
        std::string text;
        for (const EvalNode* arg : node.args)
            text += (text.empty() ? "" : std::string(between)) + describe(*arg, slots);
        return text;
    };
    switch (node.op) {
    case EvalOp::kSlot: return slots[node.slot].name;
    case EvalOp::kConstant: return node.constant.is_null ? "null" : "$";
    case EvalOp::kAnd: return "(" + list(" and ") + ")";
    case EvalOp::kOr: return "(" + list(" or ") + ")";
    case EvalOp::kNot: return "not " + list("");
    case EvalOp::kIsNull: return list("") + (node.negated ? " is not null" : " is null");
    case EvalOp::kIsTruth: return list("") + (node.negated ? " is not" : " is") + " true/false";
    case EvalOp::kCase: return "case(" + list(", ") + ")";
    case EvalOp::kCoalesce: return "coalesce(" + list(", ") + ")";
    case EvalOp::kInList:
        return describe(*node.args[0], slots) + (node.negated ? " not in (..)" : " in (..)");
    case EvalOp::kCall: break;
    }
    if (node.function == nullptr) return node.args.size() == 1 ? list("") : "(" + list(" * ") + ")";
    if (node.args.size() == 2 && node.function->op != Operator::kNone &&
        node.function->op != Operator::kCast && node.function->op != Operator::kLike)
        return fmt::format("({} {} {})", describe(*node.args[0], slots), node.function->name,
                           describe(*node.args[1], slots));
    return fmt::format("{}({})", node.function->name, list(", "));
}

} // namespace blueshift::compile
