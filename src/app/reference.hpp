#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace gibbon::app {

/// A page of docs/reference, written from the rows of the entities and of the plugins that this build comes
/// with.
struct ReferencePage {
  std::string file;  ///< "entities.md"
  std::string text;  ///< Markdown.
};

/// All of them. Errors: a plugin could not be loaded.
Result<std::vector<ReferencePage>> reference_pages();

}  // namespace gibbon::app
