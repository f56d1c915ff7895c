#pragma once

#include <cstddef>
#include <string>

#include "agent/store/collection.hpp"
#include "base/json.hpp"

/// The shapes in which a declarative document's errors are shown.
namespace gibbon::agent {

/// Before format 3.0 a path that looked like a pattern was one, and paths were decoded: rewrites the paths of
/// the routes at the top and below services as Kong does, and the version.
void upgrade_declarative(json::object& root);

/// A key that is a place in a list (from 1), in an object whose keys may be names as well.
std::string place(std::size_t index);
/// Objects whose keys are all places become lists, with nulls where nothing is.
json::value settle_places(json::value value);

/// Takes what is wrong with single entities out of `errors` and gives it as a list of {errors, entity,
/// entity_type, entity_name?, entity_id?, entity_tags?}: Kong's `flattened_errors`. What belongs to no entity
/// of `root` stays.
json::array flatten_errors(const Collections& collections, json::object root, json::object& errors);

/// `errors` as Kong's command line shows them: "in 'services':\n  - in entry 1 of 'services':\n    in ...".
std::string errors_as_text(const json::object& errors);

}  // namespace gibbon::agent
