// definitions.h: the statement families behind define(); private to ddl/.
#pragma once

#include "ddl/define.h"

namespace blueshift::ddl {

// tables.cpp
std::string createTable(const parse::CreateTable& create, DefineContext& context);
catalog::Column columnFromDefinition(const parse::ColumnDefinition& definition,
                                     catalog::Table& table, DefineContext& context);
void applyAttributes(catalog::Table& table, const parse::TableAttributes& attributes,
                     DefineContext& context);
void addConstraint(catalog::Table& table, const parse::TableConstraint& constraint,
                   DefineContext& context);
/// Width class of a column without rows.
u8 initialWidth(const SqlType& type);

// alter_table.cpp
std::string alterTable(const parse::AlterTable& alter, DefineContext& context);
std::string truncate(const parse::Truncate& truncate, DefineContext& context);

// schemas.cpp: schemas, views, comments, drops
std::string createSchema(const parse::CreateSchema& create, DefineContext& context);
std::string alterSchema(const parse::AlterSchema& alter, DefineContext& context);
std::string createView(const parse::CreateView& create, DefineContext& context);
std::string comment(const parse::Comment& comment, DefineContext& context);
std::string drop(const parse::Drop& drop, DefineContext& context);

// users.cpp
std::string createUser(const parse::CreateUser& create, DefineContext& context);
std::string alterUser(const parse::AlterUser& alter, DefineContext& context);
std::string createGroup(const parse::CreateGroup& create, DefineContext& context);
std::string alterGroup(const parse::AlterGroup& alter, DefineContext& context);
std::string createRole(const parse::CreateRole& create, DefineContext& context);
std::string grant(const parse::Grant& grant, DefineContext& context);
std::string grantRole(const parse::GrantRole& grant, DefineContext& context);
std::string dropUsers(const parse::Drop& drop, DefineContext& context);

// shared
/// The schema in which a new object of that name belongs; 3F000 when it does not exist.
catalog::Oid targetSchema(const parse::ObjectName& name, DefineContext& context);
/// 42501 unless the user owns the object or is a superuser.
void requireOwner(std::string_view kind, std::string_view name, std::string_view owner,
                  DefineContext& context);
void requireSuperuser(std::string_view action, DefineContext& context);

} // namespace blueshift::ddl
