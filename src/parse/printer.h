// printer.h: writes a syntax tree back as SQL text.
//
// Place: private to parse/; others call print() in parse/parse.h.
// Owns: the text it builds. Reads the tree only.
// Threads: one printer, one thread.
// Why so: views are stored, statements are logged and the parser is fuzzed as text; the text of a
// tree must parse to that tree. Parentheses appear only where precedence needs them, chains of
// operators are walked in a loop, however long they are.
#pragma once

#include <string>
#include <string_view>

#include "parse/parse.h"
#include "parse/parser.h"

namespace blueshift::parse {

class Printer {
public:
    // print_expression.cpp
    void expression(const Expression* expression, Precedence minimum = Precedence::kLowest);
    void typeName(const TypeName& type);
    void objectName(const ObjectName& name);
    void name(std::string_view text);
    void text(std::string_view text);
    // print_query.cpp
    void query(const Query* query);
    void fromItem(const FromItem* item);
    // print_statement.cpp, print_ddl.cpp
    void statement(const Statement* statement);

    std::string take() { return std::move(out_); }

private:
    struct Operand {
        const Expression* expression = nullptr;
        Precedence minimum = Precedence::kLowest;
        bool parentheses = false;
    };
    static Precedence levelOf(const Expression* expression);
    static Operand leftOperand(const Expression* expression);
    static bool takesPostfix(const Expression* expression);
    void operandOrRest(const Expression* expression);
    void restOfBinary(const Binary* binary);
    void restOfPredicate(const Expression* expression);
    void literal(const Literal* literal);
    void unary(const Unary* unary);
    void logical(const Logical* logical);
    void caseExpression(const Case* expression);
    void functionCall(const FunctionCall* call);
    void functionName(const FunctionCall* call);
    void window(const WindowSpec& window);
    void frame(const WindowFrame& frame);
    void frameBound(FrameBound bound, const Expression* offset);
    void orderItems(const List<OrderItem>& items);
    void expressions(const List<Expression*>& items);
    void columnNames(const List<ColumnName>& names);
    void columnNamesInParentheses(const List<ColumnName>& names);
    void queryInParentheses(const Query* query);

    void with(const WithClause* with);
    void select(const SelectQuery* select);
    void groupItem(const GroupItem* item);
    void setOperation(const SetOperation* operation);
    void values(const ValuesQuery* values);
    void queryTail(const Query* query);
    void operandQuery(const Query* query);
    void fromList(const List<FromItem*>& items);
    void joins(const FromJoin* join);
    void nestedItem(const FromItem* item);
    void pivotItems(const List<PivotItem>& items);
    void alias(const FromItem* item);
    void functionItem(const FromFunction* item);

    void definition(const Statement* statement);
    void rights(const Statement* statement);
    void insert(const Insert& insert);
    void update(const Update& update);
    void deleteRows(const Delete& statement);
    void merge(const Merge& merge);
    void assignments(const List<Assignment>& assignments);
    void copy(const Copy& copy);
    void unload(const Unload& unload);
    void options(const List<Option>& options);
    void option(const Option& option);
    void transaction(const Transaction& transaction);
    void transactionModes(IsolationLevel isolation, AccessMode access);
    void set(const Set& set);
    void show(const Show& show);
    void showTarget(const Show& show);
    void showGrants(const Show& show);
    void explain(const Explain& explain);
    void namedStatement(const Statement* statement);
    void tableAndColumns(const ObjectName& table, const List<ColumnName>& columns);
    static std::string settingName(std::string_view setting);
    void vacuum(const Vacuum& vacuum);
    void declare(const Declare& declare);
    void fetch(const Fetch& fetch);

    void createTable(const CreateTable& table);
    void column(const ColumnDefinition& column);
    void constraint(const TableConstraint& constraint);
    void reference(const ForeignReference& reference);
    void attributes(const TableAttributes& attributes);
    void alterTable(const AlterTable& alter);
    void alterStep(const AlterTableStep& step);
    void createView(const CreateView& view);
    void schemaName(const ObjectName& name);
    void quota(const Quota& quota);
    void createSchema(const CreateSchema& schema);
    void alterSchema(const AlterSchema& alter);
    void databaseOptions(i64 limit, Collation collation, IsolationLevel isolation);
    void alterDatabase(const AlterDatabase& alter);
    void drop(const Drop& drop);
    void comment(const Comment& comment);
    void userOptions(const UserOptions& options);
    void alterUser(const AlterUser& user);
    void alterGroup(const AlterGroup& group);
    void alterRole(const AlterRole& role);
    void grant(const Grant& grant);
    void grantRole(const GrantRole& grant);
    void grantees(const List<Grantee>& grantees, bool revoke);
    void grantee(const Grantee& grantee);
    void roleName(std::string_view name);
    void argumentTypes(const List<TypeName*>& types);
    void userOrKeyword(std::string_view name);
    void behavior(DropBehavior behavior);

    void put(std::string_view text) { out_ += text; }
    void number(i64 value) { out_ += std::to_string(value); }
    /// A comma before every element but the first.
    template <class Items, class Function> void commas(const Items& items, Function function) {
        bool first = true;
        for (const auto& item : items) {
            if (!first) put(", ");
            first = false;
            function(item);
        }
    }

    std::string out_;
};

std::string_view operatorText(BinaryOperator op);
std::string_view objectKindText(ObjectKind kind);
std::string_view isolationText(IsolationLevel level);

} // namespace blueshift::parse
