#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

/// Files in the shared directory are for two users: the workers', who owns the directory, and the agent's,
/// who may be root. They hold secrets, so nobody else may read them.
namespace gibbon::config {

/// A new file in `directory` under a name of its own, which goes to `path`; mode 0600. Where this process is
/// root, it belongs to the directory's owner. The caller closes the descriptor and removes or renames the
/// file.
Result<int> create_shared_file(const std::string& directory, std::string* path);

/// Writes `directory`/`name` in one step: readers see the old file or the whole new one.
Status write_shared_file(const std::string& directory, const std::string& name, std::string_view text);

/// "what: why", with errno's text.
Error system_error(const std::string& what);

}  // namespace gibbon::config
