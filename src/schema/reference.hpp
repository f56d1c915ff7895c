#pragma once

#include <string>

#include "gibbon/schema.hpp"

/// The reference pages under docs/, written from the rows.
namespace gibbon::schema {

/// Markdown: a table with a line for each field (those of nested records by dotted names), then the checks of
/// several fields, in words.
std::string reference_of(const Schema& schema);
/// The same of a plugin's `config`, and of what the plugin says about its entity.
std::string reference_of_plugin(const Schema& config);

}  // namespace gibbon::schema
