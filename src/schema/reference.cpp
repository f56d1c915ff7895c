#include "schema/reference.hpp"

#include <string_view>
#include <vector>

#include "schema/records.hpp"
#include "schema/words.hpp"

namespace gibbon::schema {
namespace {

constexpr std::string_view kHead =
    "| field | type | required | default | what it is |\n"
    "| --- | --- | --- | --- | --- |\n";

/// In a table a bar would end the cell, also within code.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string meaning(const Field& field) {
  std::string text = field.description_text;
  for (const std::string& rule : rules_in_words(field)) text += (text.empty() ? "" : " ") + rule;
  return text;
}

void add_rows(const std::vector<NamedField>& rows, const std::string& prefix, std::string& out);

void add_row(const std::string& name, const Field& field, std::string& out) {
  const bool fills_itself = field.type == FieldType::kRecord && !field.is_abstract;
  const bool must_be_given = field.is_required && !has_default(field) && !fills_itself;
  out += "| `" + name + "` | " + type_in_words(field) + " | " + (must_be_given ? "yes" : "") + " | " +
         cell(default_in_words(field)) + " | " + cell(meaning(field)) + " |\n";
  add_rows(field.fields, name + ".", out);
  const bool has_records =
      (field.type == FieldType::kArray || field.type == FieldType::kSet) && !field.element.empty();
  if (has_records) add_rows(field.element.front().fields, name + "[].", out);
}

void add_rows(const std::vector<NamedField>& rows, const std::string& prefix, std::string& out) {
  for (const NamedField& row : rows) add_row(prefix + row.name, row.field, out);
}

void add_shorthands(const Field& record, const std::string& prefix, std::string& out) {
  for (const Shorthand& shorthand : record.shorthands) {
    const std::string what = shorthand.path.empty() ? meaning(shorthand.value)
                                                    : "The former name of `" + prefix + shorthand.path +
                                                          "`. " + meaning(shorthand.value);
    out += "| `" + prefix + shorthand.name + "` | " + type_in_words(shorthand.value) + " | | | " +
           cell(what) + " |\n";
  }
}

void collect_checks(const Field& field, const std::string& prefix, std::vector<EntityCheck>& all) {
  for (const NamedField& row : field.fields) {
    const std::string name = prefix.empty() ? row.name : prefix + "." + row.name;
    for (EntityCheck& check : under(name, row.field.checks)) all.push_back(std::move(check));
    if (!row.field.element.empty())
      for (EntityCheck& check : under(name + "[]", row.field.element.front().checks))
        all.push_back(std::move(check));
    collect_checks(row.field, name, all);
  }
}

std::string checks_of(const std::vector<EntityCheck>& checks) {
  std::string out;
  for (const EntityCheck& check : checks)
    if (const std::string words = check_in_words(check); !words.empty()) out += "- " + words + "\n";
  return out;
}

std::string list_of_checks(const std::string& checks) {
  return checks.empty() ? checks : "\nWhat must hold:\n\n" + checks;
}

std::string keys_of(const Subschema& subschema) {
  std::string text;
  for (const std::string& key : subschema.keys) text += (text.empty() ? "`" : ", `") + key + "`";
  return text;
}

/// What a subschema changes: rows and checks.
std::string subschema_of(const Schema& schema, const Subschema& subschema) {
  std::string out = "\nWhere `" + schema.subschema_key + "` is " +
                    (subschema.keys.size() > 1 ? "one of " : "") + keys_of(subschema) + ":\n";
  std::string rows, shut;
  for (const NamedField& row : subschema.fields) {
    if (!row.field.error_message.empty()) {
      shut += "- " + row.field.error_message + ".\n";
    } else {
      add_row(row.name, row.field, rows);
    }
  }
  if (!rows.empty()) out += "\n" + std::string(kHead) + rows;
  const std::string checks = checks_of(subschema.checks);
  if (!shut.empty() || !checks.empty()) out += "\n" + shut + checks;
  return out;
}

}  // namespace

std::string reference_of(const Schema& schema) {
  std::string out(kHead);
  add_rows(schema.fields, "", out);
  add_shorthands(schema, "", out);
  std::vector<EntityCheck> checks = schema.checks;
  collect_checks(schema, "", checks);
  out += list_of_checks(checks_of(checks));
  for (const Subschema& subschema : schema.subschemas) out += subschema_of(schema, subschema);
  return out;
}

std::string reference_of_plugin(const Schema& config) {
  std::string out(kHead);
  add_rows(config.entity_rows, "", out);
  add_rows(config.fields, "config.", out);
  add_shorthands(config, "config.", out);
  std::vector<EntityCheck> checks = under("config", config.checks);
  for (EntityCheck& check : under("config", config.own_checks)) checks.push_back(std::move(check));
  collect_checks(config, "config", checks);
  return out + list_of_checks(checks_of(checks));
}

}  // namespace gibbon::schema
