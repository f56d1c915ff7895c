#include "base/paths.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace gibbon {

namespace {

/// FNV-1a, 64 bits: the shared directory's name must be the same in every process and every version.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const unsigned char c : text) value = (value ^ c) * 0x100000001b3;
  return value;
}

}  // namespace

Paths Paths::of(const std::string& prefix) {
  std::error_code ignored;
  std::string absolute = std::filesystem::absolute(prefix, ignored).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();

  const char* directory = std::getenv("GIBBON_SHM_DIR");
  char name[32];
  std::snprintf(name, sizeof name, "/gibbon-%016llx", static_cast<unsigned long long>(hash(absolute)));

  Paths paths;
  paths.prefix = absolute;
  paths.pids = absolute + "/pids";
  paths.logs = absolute + "/logs";
  paths.ssl = absolute + "/ssl";
  paths.nginx_conf = absolute + "/nginx.conf";
  paths.settings = absolute + "/.gibbon_env";
  paths.database = absolute + "/gibbon.db";
  paths.entries = absolute + "/entries";
  paths.spool = absolute + "/spool";
  paths.shared = (directory != nullptr && *directory != '\0' ? std::string(directory) : "/dev/shm") + name;
  return paths;
}

}  // namespace gibbon
