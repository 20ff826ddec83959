// COPY and UNLOAD: the option lists of Redshift and of PostgreSQL in one form.

#include <algorithm>

#include "parse/parser.h"

namespace blueshift::parse {

namespace {

bool isSecretOption(std::string_view name) {
    return name == "credentials" || name == "access_key_id" || name == "secret_access_key" ||
           name == "session_token" || name == "master_symmetric_key";
}

constexpr std::string_view kFormats[] = {"avro", "binary",  "csv",       "fixedwidth", "json",
                                         "orc",  "parquet", "shapefile", "text"};

/// Options of one word, formats aside. Those of two words have a function each.
constexpr std::string_view kOptions[] = {"acceptanydate",
                                         "acceptinvchars",
                                         "access_key_id",
                                         "addquotes",
                                         "allowoverwrite",
                                         "blanksasnull",
                                         "bzip2",
                                         "cleanpath",
                                         "comprows",
                                         "compupdate",
                                         "credentials",
                                         "dateformat",
                                         "default",
                                         "delimiter",
                                         "emptyasnull",
                                         "encoding",
                                         "encrypted",
                                         "escape",
                                         "explicit_ids",
                                         "extension",
                                         "fillrecord",
                                         "freeze",
                                         "gzip",
                                         "header",
                                         "iam_role",
                                         "ignoreallerrors",
                                         "ignoreblanklines",
                                         "ignoreheader",
                                         "include",
                                         "kms_key_id",
                                         "lzop",
                                         "manifest",
                                         "master_symmetric_key",
                                         "maxerror",
                                         "maxfilesize",
                                         "noload",
                                         "null",
                                         "oids",
                                         "on_error",
                                         "parallel",
                                         "quote",
                                         "readratio",
                                         "region",
                                         "removequotes",
                                         "roundec",
                                         "rowgroupsize",
                                         "secret_access_key",
                                         "serializetojson",
                                         "session_token",
                                         "simplify",
                                         "ssh",
                                         "statupdate",
                                         "timeformat",
                                         "trimblanks",
                                         "truncatecolumns",
                                         "zstd"};

constexpr const char* kFormatHint =
    "A format is CSV, TEXT, BINARY, JSON, AVRO, PARQUET, ORC, FIXEDWIDTH or SHAPEFILE.";

bool isFormat(std::string_view name) {
    return std::ranges::find(kFormats, name) != std::end(kFormats);
}

bool isOption(std::string_view name) {
    return isFormat(name) || std::ranges::find(kOptions, name) != std::end(kOptions);
}

bool isForceOption(std::string_view name) {
    return name == "force_quote" || name == "force_null" || name == "force_not_null";
}

/// Options whose word argument may be any word.
bool takesAnyWord(std::string_view name) {
    return name == "encoding";
}

/// Words that are an argument and never the next option.
bool isArgumentWord(const Token& token) {
    if (token.kind != TokenKind::kWord) return false;
    switch (token.keyword) {
    case Keyword::kOn:
    case Keyword::kOff:
    case Keyword::kTrue:
    case Keyword::kFalse:
    case Keyword::kAuto:
    case Keyword::kDefault:
    case Keyword::kVerbose:
    case Keyword::kNone: return true;
    default: return token.text == "preset";
    }
}

} // namespace

Statement* Parser::parseCopy() {
    Copy* copy = make<Copy>(here());
    expect(Keyword::kCopy);
    copy->options = list<Option>();
    if (at(Keyword::kJob) && !at(Keyword::kFrom, 1)) notYet("COPY JOB", copy->position);
    if (accept(Keyword::kBinary)) {
        Option binary;
        binary.name = "binary";
        binary.position = last_end_;
        copy->options.push(binary);
    }
    if (accept(Symbol::kLeftParen)) {
        copy->query = parseQuery();
        expect(Symbol::kRightParen);
        copy->direction = CopyDirection::kTo;
        expect(Keyword::kTo);
    } else {
        copy->table = parseObjectName();
        if (at(Symbol::kLeftParen)) copy->columns = parseColumnNamesInParentheses();
        if (accept(Keyword::kTo)) copy->direction = CopyDirection::kTo;
        else if (!accept(Keyword::kFrom))
            fail("COPY is written COPY table FROM 's3://..' or COPY table TO STDOUT.");
    }
    bool from = copy->direction == CopyDirection::kFrom;
    if (peek().kind == TokenKind::kText) {
        copy->location = take().text;
    } else if (from && accept(Keyword::kStdin)) {
        copy->place = CopyPlace::kStdin;
    } else if (!from && accept(Keyword::kStdout)) {
        copy->place = CopyPlace::kStdout;
    } else {
        fail(from ? "A source is expected: a text such as 's3://bucket/key', or STDIN."
                  : "A target is expected: a file name in quotes, or STDOUT.");
    }
    copy->options.append(parseCopyOptions());
    return copy;
}

Statement* Parser::parseUnload() {
    Unload* unload = make<Unload>(here());
    expect(Keyword::kUnload);
    expect(Symbol::kLeftParen);
    Token text = peek();
    unload->query_text = parseText();
    expect(Symbol::kRightParen);
    try {
        unload->query = Parser(unload->query_text, arena_, options_).parseWholeQuery();
    } catch (SqlError& error) {
        // The place inside of the quotes, counted in the whole text.
        if (error.error().position > 0)
            error.error().position += characterPosition(text_, text.begin + 1) - 1;
        throw;
    }
    expect(Keyword::kTo);
    unload->location = parseText();
    unload->options = parseCopyOptions();
    return unload;
}

List<Option> Parser::parseCopyOptions() {
    List<Option> options = list<Option>();
    while (!atEnd()) {
        accept(Keyword::kWith);
        if (accept(Symbol::kLeftParen)) {
            parseOptionList(options);
            expect(Symbol::kRightParen);
        } else {
            parseCopyOption(options);
        }
    }
    return options;
}

/// One option without parentheses: NAME [AS] [argument].
void Parser::parseCopyOption(List<Option>& options) {
    Token token = peek();
    if (token.kind != TokenKind::kWord) fail("An option of COPY or UNLOAD is expected here.");
    if (at(Keyword::kUsing) && at(Keyword::kTemplate, 1))
        notYet("COPY USING TEMPLATE", token.begin);
    if (at(Keyword::kJob) && at(Keyword::kCreate, 1)) notYet("COPY JOB", token.begin);
    if (at(Keyword::kPartition)) return parsePartitionBy(options);
    if (at(Keyword::kForce)) return parseForceOption(options);
    take();
    Option option;
    option.position = token.begin;
    option.name = token.text;
    if (token.is(Keyword::kFormat)) {
        accept(Keyword::kAs);
        if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kText) fail(kFormatHint);
        Token format = take();
        option.name = lowerText(format.text);
        if (!isFormat(option.name)) failAt(format, kFormatHint);
    }
    if (option.name == "delimiters") option.name = "delimiter";
    if (!isOption(option.name)) failAt(token, "This is no option of COPY or UNLOAD.");
    bool as = accept(Keyword::kAs);
    bool any_word = as || takesAnyWord(option.name);
    if (!parseOptionArgument(option) && peek().kind == TokenKind::kWord &&
        (any_word || isArgumentWord(peek()))) {
        option.argument = OptionArgument::kWord;
        option.text = take().text;
    }
    if (as && option.argument == OptionArgument::kNone) fail("An argument is expected after AS.");
    option.secret = isSecretOption(option.name);
    options.push(option);
    if (option.name == "maxfilesize" || option.name == "rowgroupsize")
        parseSizeUnit(options, option.name);
    if (option.name == "simplify" && option.argument == OptionArgument::kWord) {
        // SIMPLIFY AUTO 0.5
        Option tolerance;
        tolerance.name = "simplify_tolerance";
        tolerance.position = here();
        if (parseOptionArgument(tolerance)) options.push(tolerance);
    }
}

/// A text or a number; false and untouched for anything else.
bool Parser::parseOptionArgument(Option& option) {
    if (peek().kind == TokenKind::kText) {
        option.argument = OptionArgument::kText;
        option.text = take().text;
        return true;
    }
    bool negative = at(Symbol::kMinus) && (peek(1).kind == TokenKind::kInteger);
    if (negative || peek().kind == TokenKind::kInteger) {
        i32 begin = here();
        option.argument = OptionArgument::kInteger;
        option.integer = parseSignedInteger();
        option.text = sourceText(begin, last_end_);
        return true;
    }
    if (peek().kind == TokenKind::kDecimal) {
        option.argument = OptionArgument::kDecimal;
        option.text = take().text;
        return true;
    }
    return false;
}

void Parser::parseSizeUnit(List<Option>& options, std::string_view name) {
    if (!at(Keyword::kMb) && !at(Keyword::kGb)) return;
    Option unit;
    unit.name = name == "maxfilesize" ? "maxfilesize_unit" : "rowgroupsize_unit";
    unit.argument = OptionArgument::kWord;
    unit.position = here();
    unit.text = take().text;
    options.push(unit);
}

/// PARTITION BY (a, b) [INCLUDE]
void Parser::parsePartitionBy(List<Option>& options) {
    Option option;
    option.name = "partition_by";
    option.argument = OptionArgument::kColumns;
    option.position = here();
    expect(Keyword::kPartition);
    expect(Keyword::kBy);
    option.columns = parseColumnNamesInParentheses();
    options.push(option);
}

/// FORCE QUOTE {a, b | *}, FORCE NOT NULL a, b, FORCE NULL a, b
void Parser::parseForceOption(List<Option>& options) {
    Option option;
    option.position = here();
    option.argument = OptionArgument::kColumns;
    expect(Keyword::kForce);
    if (accept(Keyword::kNot, Keyword::kNull)) {
        option.name = "force_not_null";
    } else if (accept(Keyword::kNull)) {
        option.name = "force_null";
    } else {
        if (peek().text != "quote") fail("FORCE takes QUOTE, NULL or NOT NULL.");
        take();
        option.name = "force_quote";
        if (accept(Symbol::kStar)) option.argument = OptionArgument::kStar;
    }
    if (option.argument == OptionArgument::kColumns) option.columns = parseColumnNames();
    options.push(option);
}

/// The list of PostgreSQL: (FORMAT csv, HEADER true, FORCE_QUOTE (a, b)).
void Parser::parseOptionList(List<Option>& options) {
    do {
        Token token = peek();
        if (token.kind != TokenKind::kWord) fail("The name of an option is expected here.");
        take();
        Option option;
        option.position = token.begin;
        option.name = token.text;
        if (token.is(Keyword::kFormat)) {
            if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kText)
                fail(kFormatHint);
            Token format = take();
            option.name = lowerText(format.text);
            if (!isFormat(option.name))
                throw SqlError(
                    Error(sqlstate::kInvalidParameterValue,
                          "COPY format \"" + std::string(option.name) + "\" not recognized")
                        .withHint(kFormatHint)
                        .at(characterPosition(text_, format.begin)));
        } else if (!isOption(option.name) && !isForceOption(option.name)) {
            failAt(token, "This is no option of COPY.");
        } else if (accept(Symbol::kStar)) {
            option.argument = OptionArgument::kStar;
        } else if (at(Symbol::kLeftParen)) {
            option.argument = OptionArgument::kColumns;
            option.columns = parseColumnNamesInParentheses();
        } else if (!parseOptionArgument(option) && peek().kind == TokenKind::kWord) {
            option.argument = OptionArgument::kWord;
            option.text = take().text;
        }
        bool columns = option.argument == OptionArgument::kColumns ||
                       (option.argument == OptionArgument::kStar && option.name == "force_quote");
        if (columns != isForceOption(option.name))
            failAt(token, columns ? "This option takes no columns."
                                  : "This option takes columns in parentheses.");
        option.secret = isSecretOption(option.name);
        options.push(option);
    } while (accept(Symbol::kComma));
}

} // namespace blueshift::parse
