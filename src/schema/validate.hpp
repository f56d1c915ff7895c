#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "gibbon/schema.hpp"
#include "schema/violations.hpp"

/// Validation of configuration: an input and a schema give an entity, or everything that is wrong with it.
///
/// The Admin API and the stores need the three check_* functions alone. Threads: any; a Schema is never
/// written. Inputs may hold anything that JSON can; nothing here throws but std::bad_alloc.
namespace gibbon::schema {

enum class Operation { kInsert, kUpdate, kUpsert };

/// An entity made from an input, to be stored and shown as it is when `violations` is empty.
struct Checked {
  json::object entity;  ///< Every field of the schema in its order; null where unset.
  Violations violations;
  std::vector<std::string> warnings{};  ///< About deprecated fields, for the log.
  [[nodiscard]] bool ok() const { return violations.empty(); }
};

/// A new entity: shorthands resolved, defaults filled in, id and timestamps made.
Checked check_insert(const Schema& schema, const json::object& input);
/// A change (PATCH): `patch` laid over `stored`, see merge(). `updated_at` is renewed, `created_at` kept.
Checked check_update(const Schema& schema, const json::object& stored, const json::object& patch);
/// A replacement (PUT): as a new entity, but with what `stored` (null where there is none) may not lose: its
/// id and, as in Kong, nothing else.
Checked check_upsert(const Schema& schema, const json::object& input, const json::object* stored);

/// Resolves shorthands, fills defaults, sub-records and nulls, makes what is automatic (ids, timestamps in
/// seconds), and turns whole numbers into integers. kUpdate fills nothing: what is absent stays absent.
/// Unknown fields stay, so that validate() can refuse them. What is wrong with a shorthand goes to
/// `violations`: then nothing else counts.
json::object process_auto_fields(const Schema& schema, json::object input, Operation operation,
                                 Violations& violations);
/// A stored entity as it is shown: fields that it lacks get their defaults, and former names stand beside the
/// fields that replaced them. Makes nothing automatic.
json::object complete(const Schema& schema, json::object stored);
/// Types, validators, unknown and required fields, formats, entity checks: all that is wrong, at once.
/// `entity` is what process_auto_fields() or merge() made.
Violations validate(const Schema& schema, const json::object& entity, Operation operation);
/// `patch` over `stored`: records merge deeply; null sets null; arrays, sets and maps replace.
json::object merge(const Schema& schema, const json::object& stored, const json::object& patch);
/// "immutable field cannot be updated" for each immutable field that the patch would change.
Violations validate_immutable(const Schema& schema, const json::object& stored, const json::object& patch);

}  // namespace gibbon::schema
