#pragma once

#include <string>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

/// The prefix: all that has to lie there before the programs can start.
namespace gibbon::app {

/// Debian's nginx: by absolute path, since only so it can be upgraded while it runs.
inline constexpr const char* kNginx = "/usr/sbin/nginx";

/// Makes the folders, the shared directory, the self-signed certificates, and writes the nginx configuration
/// to `nginx_conf`. Nothing that is there is lost. Errors: with the path and the reason.
Status prepare_prefix(const Settings& settings, const Paths& paths, const std::string& nginx_conf);

/// Whether nginx takes the file. Errors: what nginx says.
Status test_nginx(const Paths& paths, const std::string& nginx_conf);

/// Removes the shared directory where no ring in it holds a record that the agent has not taken over; else
/// leaves it as it is, for the next start. Only when no program uses it any more.
void remove_shared(const Paths& paths);

/// Removes what prepare_prefix() made outside the prefix.
void remove_temporary(const Paths& paths);

}  // namespace gibbon::app
