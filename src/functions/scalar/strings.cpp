// Strings: cutting, padding, searching, case, and other functions of characters.
#include <unicode/ucasemap.h>

#include <algorithm>
#include <vector>

#include "functions/ascii.h"
#include "functions/keywords.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"
#include "functions/text_output.h"
#include "functions/utf8.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;

// ---- Length and cutting. Positions count characters from 1.

i32 length(Scope&, Text text) {
    return i32(utf8Length(text));
}
i32 octetLength(Scope&, Text text) {
    return i32(text.size());
}
i32 bitLength(Scope&, Text text) {
    return i32(text.size() * 8);
}

/// Characters [from, from + count) with from possibly before the start.
Text slice(Text text, i64 from, i64 count) {
    i64 end;
    if (__builtin_add_overflow(from, count, &end)) end = i64(text.size()) + 1;
    if (from < 1) from = 1;
    if (end <= from) return {};
    if (isAscii(text)) {
        if (from > i64(text.size())) return {};
        return text.substr(size_t(from - 1), size_t(end - from));
    }
    const size_t begin = utf8Offset(text, size_t(from - 1));
    const Text rest = text.substr(begin);
    return rest.substr(0, utf8Offset(rest, size_t(end - from)));
}
Text substring(Scope&, Text text, i32 from) {
    return slice(text, from, i64(text.size()) + 1 + std::abs(i64(from)));
}
Text substringCount(Scope& scope, Text text, i32 from, i32 count) {
    if (count < 0) {
        scope.fail(Error(sqlstate::kSubstringError, "negative substring length not allowed")
                       .withHint("Give a length of zero or more characters."));
        return {};
    }
    return slice(text, from, count);
}
Text left(Scope&, Text text, i32 count) {
    if (count >= 0) return slice(text, 1, count);
    return slice(text, 1, std::max<i64>(0, i64(utf8Length(text)) + count));
}
Text right(Scope&, Text text, i32 count) {
    const i64 length = i64(utf8Length(text));
    if (count < 0) return slice(text, 1 - i64(count), length);
    return slice(text, std::max<i64>(1, length - count + 1), count);
}

// ---- Trimming a set of characters.

struct CharacterSet {
    explicit CharacterSet(Text characters) : text(characters), ascii(isAscii(characters)) {}
    bool contains(Text character) const { return text.find(character) != Text::npos; }
    Text text;
    bool ascii;
};
Text trimSet(Text text, Text characters, bool from_left, bool from_right) {
    if (characters.empty()) return text;
    const CharacterSet set(characters);
    while (from_left && !text.empty()) {
        const size_t size = utf8Next(text, 0);
        if (!set.contains(text.substr(0, size))) break;
        text.remove_prefix(size);
    }
    while (from_right && !text.empty()) {
        size_t at = text.size() - 1;
        while (at > 0 && isContinuation(text[at])) --at;
        if (!set.contains(text.substr(at))) break;
        text.remove_suffix(text.size() - at);
    }
    return text;
}
Text btrim(Scope&, Text text) {
    return trimSet(text, " ", true, true);
}
Text ltrim(Scope&, Text text) {
    return trimSet(text, " ", true, false);
}
Text rtrim(Scope&, Text text) {
    return trimSet(text, " ", false, true);
}
Text btrimSet(Scope&, Text text, Text set) {
    return trimSet(text, set, true, true);
}
Text ltrimSet(Scope&, Text text, Text set) {
    return trimSet(text, set, true, false);
}
Text rtrimSet(Scope&, Text text, Text set) {
    return trimSet(text, set, false, true);
}

// ---- Joining, padding, repeating, replacing.

Stored concat(Scope& scope, Text a, Text b) {
    scope.scratch.assign(a);
    scope.scratch += b;
    return {scope.scratch};
}
Stored pad(Scope& scope, Text text, i32 width, Text fill, bool at_left) {
    scope.scratch.clear();
    const i64 length = i64(utf8Length(text));
    if (width <= length) return {slice(text, 1, std::max(width, 0))};
    if (width > i32(kMaxTextBytes)) {
        row_loop::failTooLong(scope.call, size_t(width));
        return {};
    }
    if (fill.empty()) return {text};
    if (!at_left) scope.scratch.assign(text);
    size_t at = 0;
    for (i64 i = length; i < width; ++i) {
        const size_t next = utf8Next(fill, at);
        scope.scratch += fill.substr(at, next - at);
        at = next == fill.size() ? 0 : next;
    }
    if (at_left) scope.scratch += text;
    return {scope.scratch};
}
Stored lpad(Scope& scope, Text text, i32 width) {
    return pad(scope, text, width, " ", true);
}
Stored rpad(Scope& scope, Text text, i32 width) {
    return pad(scope, text, width, " ", false);
}
Stored lpadFill(Scope& scope, Text text, i32 width, Text fill) {
    return pad(scope, text, width, fill, true);
}
Stored rpadFill(Scope& scope, Text text, i32 width, Text fill) {
    return pad(scope, text, width, fill, false);
}

Stored repeat(Scope& scope, Text text, i32 count) {
    scope.scratch.clear();
    if (count <= 0 || text.empty()) return {scope.scratch};
    if (u64(count) * text.size() > kMaxTextBytes) {
        row_loop::failTooLong(scope.call, size_t(count) * text.size());
        return {};
    }
    for (i32 i = 0; i < count; ++i) scope.scratch += text;
    return {scope.scratch};
}
Stored replace(Scope& scope, Text text, Text from, Text to) {
    if (from.empty()) return {text};
    scope.scratch.clear();
    size_t at = 0;
    for (size_t found; (found = text.find(from, at)) != Text::npos; at = found + from.size()) {
        scope.scratch += text.substr(at, found - at);
        scope.scratch += to;
        if (scope.scratch.size() > kMaxTextBytes * 2) break;
    }
    scope.scratch += text.substr(at);
    return {scope.scratch};
}
Stored translate(Scope& scope, Text text, Text from, Text to) {
    scope.scratch.clear();
    for (size_t at = 0; at < text.size();) {
        const size_t next = utf8Next(text, at);
        const Text character = text.substr(at, next - at);
        at = next;
        const size_t found = from.find(character);
        if (found == Text::npos) {
            scope.scratch += character;
            continue;
        }
        const size_t target = utf8Offset(to, utf8Length(from.substr(0, found)));
        if (target < to.size()) scope.scratch += to.substr(target, utf8Next(to, target) - target);
    }
    return {scope.scratch};
}
Stored reverse(Scope& scope, Text text) {
    scope.scratch.clear();
    for (size_t end = text.size(); end > 0;) {
        size_t at = end - 1;
        while (at > 0 && isContinuation(text[at])) --at;
        scope.scratch += text.substr(at, end - at);
        end = at;
    }
    return {scope.scratch};
}
Text splitPart(Scope& scope, Text text, Text mark, i32 part) {
    if (part <= 0) {
        scope.fail(
            Error(sqlstate::kInvalidParameterValue, "field position must be greater than zero")
                .withHint("Parts are counted from 1."));
        return {};
    }
    if (mark.empty()) return part == 1 ? text : Text();
    size_t at = 0;
    for (i32 i = 1;; ++i) {
        const size_t found = text.find(mark, at);
        if (i == part) return text.substr(at, found == Text::npos ? found : found - at);
        if (found == Text::npos) return {};
        at = found + mark.size();
    }
}

// ---- Finding.

i32 positionOf(Text text, Text part) {
    const size_t found = text.find(part);
    return found == Text::npos ? 0 : i32(utf8Length(text.substr(0, found))) + 1;
}
i32 strpos(Scope&, Text text, Text part) {
    return positionOf(text, part);
}
i32 charindex(Scope&, Text part, Text text) {
    return positionOf(text, part);
}
i32 octetIndex(Scope&, Text part, Text text) {
    const size_t found = text.find(part);
    return found == Text::npos ? 0 : i32(found) + 1;
}
i32 compareTexts(Scope&, Text a, Text b) {
    return kernels::compareText(makeTextView(a), makeTextView(b));
}

// ---- Case. ASCII is mapped here, the rest by ICU.

/// ICU's mapping in the root locale; one object a call of a loop.
class CaseMap {
public:
    CaseMap() {
        UErrorCode error = U_ZERO_ERROR;
        map_ = ucasemap_open("", 0, &error);
    }
    ~CaseMap() { ucasemap_close(map_); }
    CaseMap(const CaseMap&) = delete;
    CaseMap& operator=(const CaseMap&) = delete;

    bool apply(bool upper, Text text, std::string& out) const {
        out.resize(text.size() * 3 + 16);
        UErrorCode error = U_ZERO_ERROR;
        const auto map = upper ? ucasemap_utf8ToUpper : ucasemap_utf8ToLower;
        const i32 bytes =
            map(map_, out.data(), i32(out.size()), text.data(), i32(text.size()), &error);
        if (U_FAILURE(error)) return false;
        out.resize(size_t(bytes));
        return true;
    }

private:
    UCaseMap* map_ = nullptr;
};

template <bool upper> void caseLoop(const LoopCall& call) {
    const Vector& in = call.args[0];
    std::optional<CaseMap> map;
    std::string mapped;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        if (in.isNull(row)) continue;
        const Text text = asStringView(in.values<TextView>()[in.indexOf(row)]);
        if (isAscii(text)) {
            char small[TextView::kInlineBytes];
            char* out = text.size() <= sizeof small ? small : call.heap.allocate(text.size());
            for (size_t k = 0; k < text.size(); ++k)
                out[k] = upper ? asciiUpper(text[k]) : asciiLower(text[k]);
            call.out.values<TextView>()[row] = makeTextView({out, text.size()});
            continue;
        }
        if (!map) map.emplace();
        if (!map->apply(upper, text, mapped)) mapped.assign(text);
        if (mapped.size() > kMaxTextBytes) row_loop::failTooLong(call, mapped.size());
        else call.out.values<TextView>()[row] = call.heap.store(mapped);
    }
}

void initcapLoop(const LoopCall& call) {
    const Vector& in = call.args[0];
    const CaseMap map;
    std::string result, mapped;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        if (in.isNull(row)) continue;
        const Text text = asStringView(in.values<TextView>()[in.indexOf(row)]);
        result.clear();
        bool inside = false;
        for (size_t at = 0; at < text.size();) {
            const size_t next = utf8Next(text, at);
            const Text character = text.substr(at, next - at);
            at = next;
            if (character.size() == 1) {
                const char c = character[0];
                result += inside ? asciiLower(c) : asciiUpper(c);
                inside = isAsciiLetter(c) || isAsciiDigit(c);
                continue;
            }
            result += map.apply(!inside, character, mapped) ? Text(mapped) : character;
            inside = true;
        }
        if (result.size() > kMaxTextBytes) row_loop::failTooLong(call, result.size());
        else call.out.values<TextView>()[row] = call.heap.store(result);
    }
}

// ---- Characters and codes.

i32 ascii(Scope&, Text text) {
    return text.empty() ? 0 : i32(utf8Decode(text, 0));
}
Stored chr(Scope& scope, i32 code) {
    if (code <= 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        scope.fail(Error(sqlstate::kProgramLimitExceeded,
                         "requested character not valid: " + std::to_string(code))
                       .withHint("Use a Unicode code point between 1 and 1114111."));
        return {};
    }
    char bytes[4];
    scope.scratch.assign(bytes, utf8Encode(u32(code), bytes));
    return {scope.scratch};
}

char soundexDigit(char c) {
    constexpr Text kDigits = "01230120022455012623010202";
    return kDigits[size_t(asciiUpper(c) - 'A')];
}
std::string soundexOf(Text text) {
    std::string code;
    char last = '0';
    for (char c : text) {
        if (!isAsciiLetter(c)) continue;
        const char digit = soundexDigit(c);
        if (code.empty()) code += asciiUpper(c);
        else if (digit != '0' && digit != last) code += digit;
        const char upper = asciiUpper(c);
        if (upper != 'H' && upper != 'W') last = digit;
        if (code.size() == 4) break;
    }
    if (!code.empty()) code.resize(4, '0');
    return code;
}
Stored soundex(Scope& scope, Text text) {
    scope.scratch = soundexOf(text);
    return {scope.scratch};
}
i32 difference(Scope&, Text a, Text b) {
    const std::string x = soundexOf(a);
    const std::string y = soundexOf(b);
    i32 same = 0;
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) same += x[i] == y[i];
    return same;
}
i64 strtol(Scope& scope, Text text, i32 base) {
    if (base < 2 || base > 36) {
        scope.fail(Error(sqlstate::kInvalidParameterValue,
                         "base " + std::to_string(base) + " must be between 2 and 36"));
        return 0;
    }
    Text rest = trimBlanks(text);
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (base == 16 && (rest.starts_with("0x") || rest.starts_with("0X"))) rest.remove_prefix(2);
    u64 value = 0;
    bool overflow = rest.empty();
    bool invalid = rest.empty();
    for (char c : rest) {
        const int digit = isAsciiDigit(c)    ? c - '0'
                          : isAsciiLetter(c) ? asciiLower(c) - 'a' + 10
                                             : 99;
        if (digit >= base) invalid = true;
        overflow |= __builtin_mul_overflow(value, u64(base), &value) ||
                    __builtin_add_overflow(value, u64(digit), &value);
    }
    if (invalid) {
        scope.fail(Error(sqlstate::kInvalidTextRepresentation,
                         "\"" + std::string(text.substr(0, 80)) + "\" is not a number of base " +
                             std::to_string(base)));
        return 0;
    }
    if (overflow || value > (u64{1} << 63) - (negative ? 0 : 1)) {
        scope.fail(sqlstate::kNumericValueOutOfRange, "bigint out of range");
        return 0;
    }
    return negative ? i64(0 - value) : i64(value);
}
Stored toHex(Scope& scope, i64 value) {
    char buffer[17];
    char* at = buffer + 16;
    u64 rest = scope.call.arg_types[0].kind == K::kBigInt ? u64(value) : u64(u32(value));
    do {
        *at-- = "0123456789abcdef"[rest & 15];
        rest >>= 4;
    } while (rest != 0);
    scope.scratch.assign(at + 1, size_t(buffer + 16 - at));
    return {scope.scratch};
}
Stored toHex4(Scope& scope, i32 value) {
    return toHex(scope, value);
}
Stored textToHex(Scope& scope, Text text) {
    scope.scratch.clear();
    for (char c : text) {
        scope.scratch += "0123456789abcdef"[u8(c) >> 4];
        scope.scratch += "0123456789abcdef"[u8(c) & 15];
    }
    return {scope.scratch};
}
Stored quoteIdent(Scope& scope, Text text) {
    scope.scratch = quoteIdentifier(text);
    return {scope.scratch};
}
Stored quoteLiteral(Scope& scope, Text text) {
    scope.scratch = text.find('\\') == Text::npos ? "'" : "E'";
    for (char c : text) {
        if (c == '\'' || c == '\\') scope.scratch += c;
        scope.scratch += c;
    }
    scope.scratch += '\'';
    return {scope.scratch};
}
Text collate(Scope&, Text text, Text) {
    return text;
}
i32 getByte(Scope& scope, Text text, i32 at) {
    if (at < 0 || size_t(at) >= text.size()) {
        scope.fail(sqlstate::kInvalidParameterValue,
                   "index " + std::to_string(at) + " out of valid range");
        return 0;
    }
    return u8(text[size_t(at)]);
}

Function safe(std::string_view name, VectorLoop loop) {
    return {.name = name, .leak_proof = true, .loop = loop};
}
Function failing(std::string_view name, VectorLoop loop) {
    return {.name = name, .can_fail = true, .loop = loop};
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    const auto add = [&](Function function, std::vector<K> parameters, K result) {
        table.push_back({function, std::move(parameters), result});
    };
    for (std::string_view name : {"len", "length", "char_length", "character_length", "textlen"})
        add(safe(name, rowLoop<length>), {K::kText}, K::kInteger);
    add(safe("octet_length", rowLoop<octetLength>), {K::kText}, K::kInteger);
    add(safe("bit_length", rowLoop<bitLength>), {K::kText}, K::kInteger);
    for (std::string_view name : {"substring", "substr"}) {
        add(safe(name, rowLoop<substring>), {K::kText, K::kInteger}, K::kText);
        add(failing(name, rowLoop<substringCount>), {K::kText, K::kInteger, K::kInteger}, K::kText);
    }
    add(safe("left", rowLoop<left>), {K::kText, K::kInteger}, K::kText);
    add(safe("right", rowLoop<right>), {K::kText, K::kInteger}, K::kText);
    for (std::string_view name : {"btrim", "trim"}) {
        add(safe(name, rowLoop<btrim>), {K::kText}, K::kText);
        add(safe(name, rowLoop<btrimSet>), {K::kText, K::kText}, K::kText);
    }
    add(safe("ltrim", rowLoop<ltrim>), {K::kText}, K::kText);
    add(safe("ltrim", rowLoop<ltrimSet>), {K::kText, K::kText}, K::kText);
    add(safe("rtrim", rowLoop<rtrim>), {K::kText}, K::kText);
    add(safe("rtrim", rowLoop<rtrimSet>), {K::kText, K::kText}, K::kText);
    for (std::string_view name : {"||", "concat", "textcat"})
        add(failing(name, rowLoop<concat>), {K::kText, K::kText}, K::kText);
    add(failing("lpad", rowLoop<lpad>), {K::kText, K::kInteger}, K::kText);
    add(failing("lpad", rowLoop<lpadFill>), {K::kText, K::kInteger, K::kText}, K::kText);
    add(failing("rpad", rowLoop<rpad>), {K::kText, K::kInteger}, K::kText);
    add(failing("rpad", rowLoop<rpadFill>), {K::kText, K::kInteger, K::kText}, K::kText);
    add(failing("repeat", rowLoop<repeat>), {K::kText, K::kInteger}, K::kText);
    add(failing("replicate", rowLoop<repeat>), {K::kText, K::kInteger}, K::kText);
    add(failing("replace", rowLoop<replace>), {K::kText, K::kText, K::kText}, K::kText);
    add(failing("translate", rowLoop<translate>), {K::kText, K::kText, K::kText}, K::kText);
    add(safe("reverse", rowLoop<reverse>), {K::kText}, K::kText);
    add(failing("split_part", rowLoop<splitPart>), {K::kText, K::kText, K::kInteger}, K::kText);
    add(safe("strpos", rowLoop<strpos>), {K::kText, K::kText}, K::kInteger);
    add(safe("charindex", rowLoop<charindex>), {K::kText, K::kText}, K::kInteger);
    add(safe("position", rowLoop<charindex>), {K::kText, K::kText}, K::kInteger);
    add(safe("octetindex", rowLoop<octetIndex>), {K::kText, K::kText}, K::kInteger);
    add(safe("bpcharcmp", rowLoop<compareTexts>), {K::kText, K::kText}, K::kInteger);
    add(safe("bttext_pattern_cmp", rowLoop<compareTexts>), {K::kText, K::kText}, K::kInteger);
    add(failing("upper", caseLoop<true>), {K::kText}, K::kText);
    add(failing("lower", caseLoop<false>), {K::kText}, K::kText);
    add(failing("initcap", initcapLoop), {K::kText}, K::kText);
    add(safe("ascii", rowLoop<ascii>), {K::kText}, K::kInteger);
    add(failing("chr", rowLoop<chr>), {K::kInteger}, K::kText);
    add(safe("soundex", rowLoop<soundex>), {K::kText}, K::kText);
    add(safe("difference", rowLoop<difference>), {K::kText, K::kText}, K::kInteger);
    add(failing("strtol", rowLoop<strtol>), {K::kText, K::kInteger}, K::kBigInt);
    add(safe("to_hex", rowLoop<toHex4>), {K::kInteger}, K::kText);
    add(safe("to_hex", rowLoop<toHex>), {K::kBigInt}, K::kText);
    add(failing("to_hex", rowLoop<textToHex>), {K::kText}, K::kText);
    add(failing("quote_ident", rowLoop<quoteIdent>), {K::kText}, K::kText);
    add(failing("quote_literal", rowLoop<quoteLiteral>), {K::kText}, K::kText);
    add(safe("collate", rowLoop<collate>), {K::kText, K::kText}, K::kText);
    add(failing("get_byte", rowLoop<getByte>), {K::kText, K::kInteger}, K::kInteger);
    return table;
}

} // namespace

OverloadTable stringFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
