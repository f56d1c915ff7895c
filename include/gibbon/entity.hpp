#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/schema.hpp"

namespace gibbon {

/// What is made of a field before it is stored: a password becomes its hash. Runs in the agent whenever the field is
/// written, but not for a declarative document with `_transform: false`, whose values were stored once already.
struct Transformation {
  std::string field;               ///< A string field: "password".
  std::vector<std::string> needs;  ///< Other fields of the entity, a foreign key as its id: {"consumer.id"}.
  /// Gives what is stored. `needed`: the values of `needs`, in their order; empty where they are null.
  std::string (*on_write)(std::string_view value, std::span<const std::string_view> needed) = nullptr;
};

/// A kind of entity: a collection of its own in the store, in declarative files and in the Admin API. The gateway's
/// own entities are declared so, and those that a plugin brings (credentials, for example) alike.
struct Entity {
  std::string name;         ///< In stores, files and error messages: "services", "keyauth_credentials".
  Schema schema = Schema(FieldType::kRecord);
  /// The field that may stand for the id in a path: "name". It is unique, or unique within the parent under whose
  /// path the entity stands. Empty: ids alone. A plugin finds an entity by it while it handles a request.
  std::string endpoint_key{};
  /// Fields whose values are unique together, nulls included: {"name", "route", "service", "consumer"}.
  std::vector<std::string> cache_key{};
  std::string path{};         ///< In the Admin API, where it is not the name: "key-auths".
  std::string nested_path{};  ///< The same, below what the entity belongs to: "key-auth".
  enum class Access { kEverywhere, kNestedOnly } access = Access::kEverywhere;  ///< kNestedOnly: no collection at the top.
  std::string description{};  ///< One sentence, for the reference pages and the OpenAPI document.
  /// kTtl: inputs may hold `ttl`, the seconds after which the entity is no more; answers show how many are left.
  enum class Lifetime { kUnlimited, kTtl } lifetime = Lifetime::kUnlimited;
  std::vector<Transformation> transformations{};
};

}  // namespace gibbon
