#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

/// Files in the shared directory are for two users: the workers', who owns the directory, and the agent's, who may be
/// root. They hold secrets, so nobody else may read them.
namespace gibbon::config {

/// Gives an open file to the owner of `directory` where this process is root; its mode becomes 0600.
Status share_with_owner(int descriptor, const std::string& directory);

/// Writes `directory`/`name` in one step: readers see the old file or the whole new one.
Status write_shared_file(const std::string& directory, const std::string& name, std::string_view text);

/// "what: why", with errno's text.
Error system_error(const std::string& what);

}  // namespace gibbon::config
