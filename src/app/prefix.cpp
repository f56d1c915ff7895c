#include "app/prefix.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/account.hpp"
#include "app/certificates.hpp"
#include "app/nginx_conf.hpp"
#include "app/process.hpp"
#include "base/installation.hpp"
#include "base/node_id.hpp"
#include "config/settings_text.hpp"
#include "record/ring.hpp"

namespace gibbon::app {

namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr unsigned kMaxWorkers = 128;  // As nginx_worker_processes.

Error failure(const std::string& path) { return Error{path + ": " + std::strerror(errno), ""}; }

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{path + ": " + error.message(), ""};
  return {};
}

/// A folder of the workers' own. It may lie in a public place: what another user put there is not taken.
Status make_private_folder(const std::string& path, const Account& account) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure(path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return failure(path);
  struct stat info;
  Status status;
  if (::fstat(fd, &info) != 0) {
    status = failure(path);
  } else if (info.st_uid != ::geteuid() && info.st_uid != account.uid) {
    status = Error{path + " belongs to another user; remove it, or choose another prefix", ""};
  } else if (::fchmod(fd, 0700) != 0 || (::geteuid() == 0 && ::fchown(fd, account.uid, account.gid) != 0)) {
    status = failure(path);
  }
  ::close(fd);
  return status;
}

Status write_text(const std::string& path, const std::string& text) {
  const std::string draft = path + ".draft";
  std::ofstream stream(draft, std::ios::binary | std::ios::trunc);
  stream << text << std::flush;
  if (!stream || ::rename(draft.c_str(), path.c_str()) != 0) return failure(path);
  return {};
}

std::string combined_authorities(const Paths& paths) { return paths.prefix + "/.ca_combined"; }

bool only_system_authorities(const Settings& settings) {
  const auto& files = settings.lua_ssl_trusted_certificate;
  return std::ranges::all_of(files, [](const std::string& file) { return file == "system"; });
}

Status write_authorities(const Settings& settings, const Paths& paths) {
  if (only_system_authorities(settings)) return {};
  std::ostringstream all;
  for (const std::string& file : settings.lua_ssl_trusted_certificate) {
    const std::string path = file == "system" ? kSystemAuthorities : file;
    std::ifstream stream(path, std::ios::binary);
    if (!stream && file == "system") continue;
    if (!(all << stream.rdbuf() << '\n'))
      return Error{"lua_ssl_trusted_certificate: failed loading certificate from " + path, ""};
  }
  return write_text(combined_authorities(paths), all.str());
}

/// Below the prefix where the workers can get there, else in a public place under a name of its own.
std::string temporary_folder(const Paths& paths, const Account& account) {
  if (can_reach(paths.prefix, account)) return paths.prefix + "/tmp";
  return "/var/tmp/" + std::filesystem::path(paths.shared).filename().string();
}

std::vector<std::string> system_name_servers() {
  std::vector<std::string> servers;
  std::ifstream stream("/etc/resolv.conf");
  for (std::string text; std::getline(stream, text);) {
    const auto words = settings::split_words(text);
    if (words.size() < 2 || words[0] != "nameserver") continue;
    if (const auto server = settings::normalize_server(words[1], 53)) servers.push_back(*server);
  }
  return servers;
}

}  // namespace

NginxHost NginxHost::of(const Settings& settings, const Paths& paths) {
  NginxHost host;
  host.module = Installation::here().module;
  if (const auto account = worker_account(settings); account.ok()) {
    if (::geteuid() == 0) host.user = account->user + " " + account->group;
    host.temporary = temporary_folder(paths, *account);
  }
  if (!settings.lua_ssl_trusted_certificate.empty()) {
    host.certificate_authorities =
        only_system_authorities(settings) ? kSystemAuthorities : combined_authorities(paths);
    if (::access(host.certificate_authorities.c_str(), R_OK) != 0) host.certificate_authorities.clear();
  }
  host.name_servers = system_name_servers();
  host.node_id = gibbon::node_id(paths);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    host.open_files = std::clamp<rlim_t>(limit.rlim_cur, 1024, 16384);
  host.workers = std::clamp<long>(::sysconf(_SC_NPROCESSORS_ONLN), 1, kMaxWorkers);
  return host;
}

Status prepare_prefix(const Settings& settings, const Paths& paths, const std::string& nginx_conf_file) {
  const auto account = worker_account(settings);
  if (!account) return account.error();
  for (const std::string* folder : {&paths.prefix, &paths.pids, &paths.logs, &paths.ssl}) {
    if (Status status = make_folder(*folder); !status) return status;
  }
  if (::chmod(paths.ssl.c_str(), 0700) != 0) return failure(paths.ssl);
  if (Status status = make_private_folder(paths.shared, *account); !status) return status;
  if (Status status = make_private_folder(temporary_folder(paths, *account), *account); !status)
    return status;
  if (Status status = make_certificates(settings, paths); !status) return status;
  if (Status status = write_authorities(settings, paths); !status) return status;
  return write_text(nginx_conf_file, nginx_conf(settings, paths, NginxHost::of(settings, paths)));
}

Status test_nginx(const Paths& paths, const std::string& nginx_conf_file) {
  if (::access(kNginx, X_OK) != 0)
    return Error{std::string(kNginx) + " is missing: install Debian's package nginx", ""};
  if (::access(Installation::here().module.c_str(), R_OK) != 0) {
    return Error{Installation::here().module + " is missing: Gibbon is not built or installed in full", ""};
  }
  const auto output = run({kNginx, "-t", "-q", "-p", paths.prefix, "-c", nginx_conf_file});
  if (!output) return output.error();
  if (output->exit_code == 0) return {};
  return Error{"nginx configuration is invalid (exit code " + std::to_string(output->exit_code) + "):\n" +
                   std::string(settings::trim(output->text)),
               ""};
}

void remove_shared(const Paths& paths) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(paths.shared, ignored)) {
    if (!entry.path().filename().string().starts_with("ring.")) continue;
    const auto ring = record::RingMapping::open(entry.path().string());
    if (ring && ring->header().head.load() != ring->header().tail.load()) return;
  }
  std::filesystem::remove_all(paths.shared, ignored);
}

void remove_temporary(const Paths& paths) {
  std::error_code ignored;
  std::filesystem::remove_all("/var/tmp/" + std::filesystem::path(paths.shared).filename().string(), ignored);
}

}  // namespace gibbon::app
