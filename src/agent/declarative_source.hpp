#pragma once

#include <optional>
#include <string>

#include "agent/store/declarative.hpp"
#include "base/paths.hpp"
#include "config/control.hpp"
#include "config/settings.hpp"

/// Where the configuration of a gateway without a database comes from: a file, or, where a client has
/// replaced it through POST /config, what a crashed agent left in the shared directory.
namespace gibbon::agent {

struct DeclarativeInput {
  Image image;
  std::string hash = kEmptyConfigurationHash;
};

/// The configured file or text; nothing configured is an empty configuration.
/// Errors: every problem, a line each, under the file's name.
Result<DeclarativeInput> read_declarative(const Settings& settings, const Catalog& catalog);

/// Keeps what POST /config has made current, for an agent that has to start again while the gateway runs on.
Status keep_posted(const Paths& paths, const Image& image, const std::string& hash);
/// What keep_posted() kept; nothing where there is none or it does not fit any more.
std::optional<DeclarativeInput> read_posted(const Paths& paths, const Catalog& catalog);
void forget_posted(const Paths& paths);

/// The configuration that the gateway runs with, read back from its snapshot: for an agent that starts again
/// and finds a file that is no longer right. Plugins that were disabled are not in it.
std::optional<DeclarativeInput> read_running(const config::Control& control, const Catalog& catalog);

}  // namespace gibbon::agent
