#pragma once

#include <string>
#include <vector>

#include "gibbon/schema.hpp"

namespace gibbon::schema {

/// What is wrong with the rows themselves, whatever the input: rules that their type does not have, defaults
/// that their own rules refuse, names of fields, formats and checks that there are not. One line each, with
/// the field's dotted name; none where all is well. An author's mistakes show when a plugin is loaded, not
/// when a request comes.
std::vector<std::string> mistakes_in(const Schema& schema);

}  // namespace gibbon::schema
