#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What the stores need to know of each kind of entity, read from its schema.
namespace gibbon::agent {

struct ForeignKey {
  std::string field;       ///< "service"
  std::string collection;  ///< "services"; may be one that does not exist here, then nothing can refer to it.
  bool cascades = false;   ///< Deleting the parent deletes the child; otherwise it is refused.
};

struct Collection {
  std::string name;  ///< "services", as in paths and files.
  std::string
      endpoint_key;  ///< The unique field that may stand for the id in a path: "name", "instance_name".
  std::vector<std::string> unique;     ///< Fields whose values are unique where they are set.
  std::vector<std::string> cache_key;  ///< Fields that are unique together, nulls included; may be empty.
  std::vector<ForeignKey> foreign;
};

/// All collections, parents before children. Lives as long as the process.
const std::vector<Collection>& collections();
/// Null where there is no such collection.
const Collection* find_collection(std::string_view name);

/// Kong's way to say one of them: "services" is "service".
std::string_view singular(std::string_view collection);

}  // namespace gibbon::agent
