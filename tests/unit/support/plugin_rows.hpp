#pragma once

#include <map>
#include <string>

#include "gibbon/schema.hpp"

namespace gibbon::test {

/// The `config` of the plugins that the recorded cases are about, by the plugin's name: what an author would
/// write.
const std::map<std::string, Schema>& plugin_rows();

}  // namespace gibbon::test
