// Where settings come from, and how they reach the children: files and the environment.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/paths.hpp"
#include "config/settings.hpp"
#include "config/settings_keys.hpp"
#include "config/settings_text.hpp"

namespace gibbon {

namespace {

using settings::trim;

constexpr const char* kDefaultFiles[] = {"/etc/gibbon/gibbon.conf", "/etc/kong/kong.conf"};

Result<std::string> read_whole(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf() || stream.peek() == EOF)) {
    return Error{path + ": " + std::strerror(errno != 0 ? errno : EIO), ""};
  }
  return std::move(text).str();
}

/// A quoted value, where `text` is one up to a comment: `"` knows \n, \" and \\; `'` takes all as it stands.
std::optional<std::string> unquote(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  const char quote = text.front();
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == quote) {
      const std::string_view rest = trim(text.substr(i + 1));
      return rest.empty() || rest.starts_with('#') ? std::optional(value) : std::nullopt;
    }
    if (quote == '"' && text[i] == '\\' && (next == '"' || next == '\\' || next == 'n' || next == '#')) {
      value += next == 'n' ? '\n' : next;
      ++i;
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

/// A bare value: up to a `#` that no backslash precedes.
std::string without_comment(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '#')
      value += text[++i];
    else if (text[i] == '#')
      break;
    else
      value += text[i];
  }
  return std::string(trim(value));
}

std::string quote(std::string_view value) {
  if (value.find_first_of("\"'#\\\n") == std::string_view::npos && trim(value) == value)
    return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n')
      text += "\\n";
    else if (c == '"' || c == '\\')
      (text += '\\') += c;
    else
      text += c;
  }
  return text + '"';
}

/// Keys of our own making in .gibbon_env; no operator sets them.
bool is_internal(std::string_view name) { return name == "conf_file" || name == "from_environment"; }

/// KONG_<KEY> and then GIBBON_<KEY>. A variable that is no key is left alone: images set KONG_VERSION and the
/// like.
void read_environment(const char* const* environment, Settings::Values& values) {
  for (const std::string_view prefix : {"KONG_", "GIBBON_"}) {
    for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      const auto equals = text.find('=');
      if (!text.starts_with(prefix) || equals == std::string_view::npos || equals <= prefix.size()) continue;
      const std::string name = settings::to_lower(text.substr(prefix.size(), equals - prefix.size()));
      if (is_internal(name)) continue;
      if (settings::find_key(name) != nullptr || settings::is_directive(name) ||
          settings::is_ignored_family(name)) {
        values[name] = trim(text.substr(equals + 1));
      }
    }
  }
}

/// What the file system must hold for these settings to work.
std::string missing_files(const Settings& settings) {
  std::string problems;
  const auto need = [&](const std::string& path, const std::string& problem) {
    if (::access(path.c_str(), R_OK) != 0) problems += (problems.empty() ? "" : "\n") + problem;
  };
  const auto need_certificates = [&](const std::string& key, const std::vector<std::string>& paths) {
    const std::string what =
        key.ends_with("_key") ? ": failed loading key from " : ": failed loading certificate from ";
    for (const std::string& path : paths) need(path, key + what + path);
  };
  if (!settings.declarative_config.empty() && settings.database == "off") {
    need(settings.declarative_config, "declarative_config: no such file at " + settings.declarative_config);
  }
  need(settings.dns_hostsfile, "dns_hostsfile: file does not exist");
  need_certificates("ssl_cert", settings.ssl_cert);
  need_certificates("ssl_cert_key", settings.ssl_cert_key);
  need_certificates("admin_ssl_cert", settings.admin_ssl_cert);
  need_certificates("admin_ssl_cert_key", settings.admin_ssl_cert_key);
  need_certificates("status_ssl_cert", settings.status_ssl_cert);
  need_certificates("status_ssl_cert_key", settings.status_ssl_cert_key);
  for (const std::string& path : settings.lua_ssl_trusted_certificate) {
    if (path != "system") need(path, "lua_ssl_trusted_certificate: failed loading certificate from " + path);
  }
  return problems;
}

}  // namespace

Result<Settings::Values> Settings::parse_file(std::string_view text) {
  Values values;
  std::string problems, continued;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (continued.empty() && (line.empty() || line.starts_with('#'))) continue;
    if (line.ends_with('\\') && !text.empty()) {
      line.remove_suffix(1);
      continued += line;
      continue;
    }
    const std::string whole = continued + std::string(line);
    continued.clear();
    const auto equals = whole.find('=');
    const std::string key = settings::to_lower(trim(std::string_view(whole).substr(0, equals)));
    if (equals == std::string::npos || key.empty() || key.find_first_of(" \t\"'#") != std::string::npos) {
      problems += (problems.empty() ? "" : "\n") + ("line " + std::to_string(number)) +
                  ": expected 'key = value', got '" + whole + "'";
      continue;
    }
    const std::string_view value = trim(std::string_view(whole).substr(equals + 1));
    const auto quoted = unquote(value);
    values[key] = quoted ? *quoted : without_comment(value);
  }
  if (!problems.empty()) return Error{problems, ""};
  return values;
}

namespace {

/// Everything that was asked for, before it is checked.
struct Request {
  std::string file;
  Settings::Values environment;  ///< Over the file.
  std::string prefix;            ///< Over both, where it is not empty.
};

Result<Settings> load_request(Request request) {
  for (const char* fallback : kDefaultFiles) {
    if (request.file.empty() && ::access(fallback, F_OK) == 0) request.file = fallback;
  }
  Settings::Values values;
  if (!request.file.empty()) {
    if (::access(request.file.c_str(), F_OK) != 0) return Error{"no file at: " + request.file, ""};
    auto text = read_whole(request.file);
    if (!text) return Error{"could not load config file: " + text.error().message, ""};
    auto read = Settings::parse_file(*text);
    if (!read) return Error{"could not load config file: " + request.file + ": " + read.error().message, ""};
    values = std::move(read.value());
    std::error_code ignored;
    values["conf_file"] = std::filesystem::absolute(request.file, ignored).string();
  }
  std::string names;
  for (const auto& [name, value] : request.environment) {
    values[name] = value;
    names += (names.empty() ? "" : ",") + name;
  }
  values["from_environment"] = names;
  if (!request.prefix.empty()) values["prefix"] = request.prefix;

  auto settings = Settings::from_values(values);
  if (!settings) return settings;
  if (const std::string problems = missing_files(*settings); !problems.empty()) return Error{problems, ""};
  return settings;
}

}  // namespace

Result<Settings> Settings::load(const std::string& file, const std::string& prefix,
                                const char* const* environment) {
  Request request{.file = file, .environment = {}, .prefix = prefix};
  read_environment(environment, request.environment);
  return load_request(std::move(request));
}

Result<Settings> Settings::reload(const std::string& file, const std::string& prefix,
                                  const char* const* environment) {
  const auto running = load_effective(prefix);
  if (!running) return running;
  Request request{
      .file = file.empty() ? running->conf_file : file, .environment = {}, .prefix = running->prefix};
  for (const std::string& name : running->from_environment) {
    const auto found = running->effective.find(name);
    if (found != running->effective.end()) request.environment[name] = found->second;
  }
  read_environment(environment, request.environment);
  return load_request(std::move(request));
}

Result<Settings> Settings::load_effective(const std::string& prefix) {
  const Paths paths = Paths::of(prefix);
  if (::access(paths.prefix.c_str(), F_OK) != 0) return Error{"no such prefix: " + paths.prefix, ""};
  auto text = read_whole(paths.settings);
  if (!text) return Error{"Gibbon is not running at " + paths.prefix, ""};
  auto values = parse_file(*text);
  if (!values) return Error{paths.settings + ": " + values.error().message, ""};
  return from_values(*values);
}

Status Settings::store_effective() const {
  const Paths paths = Paths::of(prefix);
  std::string text = "# The settings in effect, written by gibbon at its start. Changes here are lost.\n";
  for (const auto& [key, value] : effective) text += key + " = " + quote(value) + "\n";

  const std::string draft = paths.settings + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool written = fd >= 0 && ::fchmod(fd, 0600) == 0;
  for (std::size_t done = 0; written && done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    written = count > 0;
    if (written) done += static_cast<std::size_t>(count);
  }
  const int failure = errno;
  if (fd >= 0) ::close(fd);
  if (!written) return Error{draft + ": " + std::strerror(failure), ""};
  if (::rename(draft.c_str(), paths.settings.c_str()) != 0)
    return Error{paths.settings + ": " + std::strerror(errno), ""};
  return {};
}

}  // namespace gibbon
