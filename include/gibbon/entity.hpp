#pragma once

#include <string>
#include <vector>

#include "gibbon/schema.hpp"

namespace gibbon {

/// A kind of entity: a collection of its own in the store, in declarative files and in the Admin API. The gateway's
/// own entities are declared so, and those that a plugin brings (credentials, for example) alike.
struct Entity {
  std::string name;         ///< In stores, files and error messages: "services", "keyauth_credentials".
  Schema schema = Schema(FieldType::kRecord);
  /// The field that may stand for the id in a path: "name". It is unique, or unique within the parent under whose
  /// path the entity stands. Empty: ids alone.
  std::string endpoint_key{};
  /// Fields whose values are unique together, nulls included: {"name", "route", "service", "consumer"}.
  std::vector<std::string> cache_key{};
  std::string path{};         ///< In the Admin API, where it is not the name: "key-auths".
  std::string nested_path{};  ///< The same, below what the entity belongs to: "key-auth".
  enum class Access { kEverywhere, kNestedOnly } access = Access::kEverywhere;  ///< kNestedOnly: no collection at the top.
  std::string description{};  ///< One sentence, for the reference pages and the OpenAPI document.
};

}  // namespace gibbon
