#pragma once

#include <string>
#include <vector>

#include "gibbon/schema.hpp"

/// Rows in plain English, for the reference pages.
namespace gibbon::schema {

/// "string", "set of strings", "map of strings to integers", "reference to a service".
std::string type_in_words(const Field& field);
/// A row's rules beyond its type, a sentence each: "From 0 to 65535.", "One of `a`, `b`.", "Unique."
std::vector<std::string> rules_in_words(const Field& field);
/// A check of several fields: "Where `protocol` is one of `tcp`, `udp`: `path` is null." Empty where there is
/// nothing to say that the fields do not say.
std::string check_in_words(const EntityCheck& check);
/// A default as it is written in JSON; empty where there is none.
std::string default_in_words(const Field& field);

}  // namespace gibbon::schema
