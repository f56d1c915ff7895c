#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/paths.hpp"
#include "config/settings.hpp"

namespace gibbon::app {

/// What the machine adds to the settings when nginx's configuration is written.
struct NginxHost {
  std::string module;                   ///< Absolute path of ngx_http_gibbon_module.so.
  std::string user;                     ///< "www-data www-data"; empty where nginx is not started as root.
  std::string temporary;                ///< Folder that the workers can reach, for bodies that spill to disk.
  std::string certificate_authorities;  ///< PEM file; empty: there is none.
  std::vector<std::string> name_servers;  ///< "127.0.0.1:53"; used where dns_resolver is not set.
  std::uint64_t open_files = 1024;  ///< What `auto` stands for in worker_rlimit_nofile, worker_connections.
  std::string node_id;              ///< The gateway's, for plugins.
  unsigned workers = 1;             ///< What `auto` stands for in nginx_worker_processes.

  /// As this process sees it. `certificate_authorities` is a file of Debian's, or `paths.prefix`/.ca_combined
  /// where lua_ssl_trusted_certificate names files.
  static NginxHost of(const Settings& settings, const Paths& paths);
};

/// How many workers nginx_worker_processes means on this machine.
unsigned worker_count(const Settings& settings, const NginxHost& host);

/// The text of PREFIX/nginx.conf. Certificates that the settings do not name are taken from `paths.ssl`.
std::string nginx_conf(const Settings& settings, const Paths& paths, const NginxHost& host);

}  // namespace gibbon::app
