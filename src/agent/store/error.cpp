#include "agent/store/error.hpp"

#include <fmt/format.h>

#include "agent/store/lua_text.hpp"

namespace gibbon::agent {
namespace {

struct CodeText {
  ErrorCode code;
  int status;
  const char* name;
};

constexpr CodeText kCodes[] = {
    {ErrorCode::kInvalidPrimaryKey, 400, "invalid primary key"},
    {ErrorCode::kSchemaViolation, 400, "schema violation"},
    {ErrorCode::kPrimaryKeyViolation, 400, "primary key violation"},
    {ErrorCode::kForeignKeyViolation, 400, "foreign key violation"},
    {ErrorCode::kUniqueViolation, 409, "unique constraint violation"},
    {ErrorCode::kNotFound, 404, "not found"},
    {ErrorCode::kInvalidOffset, 400, "invalid offset"},
    {ErrorCode::kDatabase, 500, "database error"},
    {ErrorCode::kInvalidSize, 400, "invalid size"},
    {ErrorCode::kInvalidUnique, 400, "invalid unique "},
    {ErrorCode::kInvalidOptions, 400, "invalid options"},
    {ErrorCode::kUnsupported, 405, "operation unsupported"},
    {ErrorCode::kForeignUnresolved, 400, "foreign keys unresolved"},
    {ErrorCode::kDeclarative, 400, "invalid declarative configuration"},
    {ErrorCode::kReferencedByOthers, 400, "referenced by others"},
};

const CodeText& text_of(ErrorCode code) {
  for (const auto& entry : kCodes)
    if (entry.code == code) return entry;
  return kCodes[0];
}

template <typename T>
json::object one(std::string_view key, const T& value) {
  json::object object;
  object[key] = value;
  return object;
}

}  // namespace

int StoreError::http_status() const { return text_of(code).status; }

json::object StoreError::to_json() const {
  json::object body;
  body["code"] = static_cast<int>(code);
  body["name"] = text_of(code).name + field;
  body["message"] = message;
  if (fields) body[code == ErrorCode::kInvalidOptions ? "options" : "fields"] = *fields;
  return body;
}

StoreError schema_violation(const schema::Violations& violations) {
  return {ErrorCode::kSchemaViolation, violations.message(), violations.fields};
}

StoreError primary_key_violation(std::string_view id) {
  auto key = one("id", id);
  return {ErrorCode::kPrimaryKeyViolation, fmt::format("primary key violation on key '{}'", lua_text(key)),
          key};
}

StoreError unique_violation(json::object key) {
  return {ErrorCode::kUniqueViolation, fmt::format("UNIQUE violation detected on '{}'", lua_text(key)), key};
}

StoreError missing_reference(std::string_view field, const json::object& key, std::string_view collection) {
  return {ErrorCode::kForeignKeyViolation,
          fmt::format("the foreign key '{}' does not reference an existing '{}' entity.", lua_text(key),
                      collection),
          one(field, key)};
}

StoreError still_referenced(std::string_view collection, std::string_view by) {
  return {ErrorCode::kForeignKeyViolation,
          fmt::format("an existing '{}' entity references this '{}' entity", by, collection),
          one("@referenced_by", by)};
}

StoreError unresolved_reference(std::string_view field, std::string_view key, std::string_view value,
                                std::string_view collection) {
  const auto why = fmt::format("the foreign key cannot be resolved with '{}' for an existing '{}' entity",
                               lua_text(one(key, value)), collection);
  return {ErrorCode::kForeignUnresolved, fmt::format("foreign key unresolved ({}.{}: {})", field, key, why),
          one(field, one(key, why))};
}

StoreError not_found(std::string_view field, std::string_view value) {
  auto key = one(field, value);
  return {ErrorCode::kNotFound,
          fmt::format("could not find the entity with {}'{}'", field == "id" ? "primary key " : "",
                      lua_text(key)),
          key};
}

StoreError invalid_offset(std::string_view offset, std::string_view why) {
  return {ErrorCode::kInvalidOffset, fmt::format("'{}' is not a valid offset: {}", offset, why), {}};
}

StoreError invalid_primary_key(std::string_view why) {
  auto key = one("id", why);
  return {ErrorCode::kInvalidPrimaryKey, fmt::format("invalid primary key: '{}'", lua_text(key)), key};
}

StoreError invalid_unique(std::string_view field, std::string_view why) {
  return {ErrorCode::kInvalidUnique, std::string(why), {}, std::string(field)};
}

StoreError invalid_size(std::string_view message) {
  return {ErrorCode::kInvalidSize, std::string(message), {}};
}

StoreError invalid_option(std::string_view option, std::string_view why) {
  return {ErrorCode::kInvalidOptions, fmt::format("invalid option ({}: {})", option, why), one(option, why)};
}

StoreError unsupported(std::string_view verb, std::string_view collection, std::string_view by) {
  const auto how = by.empty() ? std::string() : fmt::format(" by '{}'", by);
  return {ErrorCode::kUnsupported,
          fmt::format("cannot {} '{}' entities{} when not using a database", verb, collection, how),
          {}};
}

StoreError database_error(std::string_view message) {
  return {ErrorCode::kDatabase, std::string(message), {}};
}

StoreError invalid_declarative(json::object fields) {
  auto message = "declarative config is invalid: " + lua_text(fields);
  return {ErrorCode::kDeclarative, std::move(message), std::move(fields)};
}

}  // namespace gibbon::agent
