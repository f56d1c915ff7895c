#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/json.hpp"
#include "schema/violations.hpp"

/// What can go wrong with a configuration change, in Kong's codes and words.
namespace gibbon::agent {

enum class ErrorCode {
  kInvalidPrimaryKey = 1,
  kSchemaViolation = 2,
  kPrimaryKeyViolation = 3,
  kForeignKeyViolation = 4,
  kUniqueViolation = 5,
  kNotFound = 6,
  kInvalidOffset = 7,
  kDatabase = 8,
  kInvalidSize = 9,
  kInvalidUnique = 10,
  kInvalidOptions = 11,
  kUnsupported = 12,
  kForeignUnresolved = 13,
  kDeclarative = 14,
  kReferencedByOthers = 19,
};

struct StoreError {
  ErrorCode code;
  std::string message;
  std::optional<json::object> fields;  ///< What the message is about; shown as `options` for kInvalidOptions.
  std::string field{};  ///< Of kInvalidUnique, whose name says it.

  [[nodiscard]] int http_status() const;
  /// {"code":5,"name":"unique constraint violation","message":"...","fields":{...}}
  [[nodiscard]] json::object to_json() const;
};

/// A value, or why there is none.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Outcome(StoreError error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  [[nodiscard]] const StoreError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, StoreError> state_;
};

StoreError schema_violation(const schema::Violations& violations);
StoreError primary_key_violation(std::string_view id);
/// `key`: the values that exist already, by field.
StoreError unique_violation(json::object key);
StoreError missing_reference(std::string_view field, const json::object& key, std::string_view collection);
StoreError still_referenced(std::string_view collection, std::string_view by);
/// A reference by name that nothing has: `service: {name: x}`.
StoreError unresolved_reference(std::string_view field, std::string_view key, std::string_view value,
                                std::string_view collection);
/// `field`: "id", or the unique field that was asked for.
StoreError not_found(std::string_view field, std::string_view value);
StoreError invalid_offset(std::string_view offset, std::string_view why);
/// What a path gives as an id, or as the unique field that stands for it, can be no such value.
StoreError invalid_primary_key(std::string_view why);
StoreError invalid_unique(std::string_view field, std::string_view why);
StoreError invalid_size(std::string_view message);
StoreError invalid_option(std::string_view option, std::string_view why);
/// A change without a database. `verb`: "create", "update", "create or update", "remove"; `by`: the unique
/// field that the entity was addressed with, empty for its id.
StoreError unsupported(std::string_view verb, std::string_view collection, std::string_view by = {});
StoreError database_error(std::string_view message);
/// Everything that is wrong with a declarative configuration.
StoreError invalid_declarative(json::object fields);

}  // namespace gibbon::agent
