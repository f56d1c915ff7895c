// The agent's addresses: the Admin API and the status API.
#include <filesystem>

#include "agent/admin/reply.hpp"
#include "agent/process.hpp"
#include "base/version.hpp"

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMaxBody = 10u << 20;  // Kong's nginx_admin_client_max_body_size

/// TLS addresses show the settings' own certificate, or the self-signed one that `gibbon start` makes.
http::ServerOptions options(const std::vector<Listener>& listeners,
                            const std::vector<std::string>& certificates,
                            const std::vector<std::string>& keys, const std::string& default_certificate,
                            const std::string& client_authorities = {}) {
  http::ServerOptions options;
  for (const auto& listener : listeners) {
    http::Listen listen;
    listen.host = listener.ip;
    listen.port = listener.port;
    if (listener.ssl) {
      listen.certificate_file = certificates.empty() ? default_certificate + ".crt" : certificates.front();
      listen.key_file = keys.empty() ? default_certificate + ".key" : keys.front();
      listen.client_authorities_file = client_authorities;
    }
    options.listen.push_back(std::move(listen));
  }
  options.server_header = kServerTokens;
  options.max_body_bytes = kMaxBody;
  return options;
}

http::ServerOptions admin_options(const Settings& settings, const Paths& paths) {
  return options(settings.admin_listen, settings.admin_ssl_cert, settings.admin_ssl_cert_key,
                 paths.ssl + "/admin-kong-default", settings.admin_ssl_client_certificate);
}

http::ServerOptions status_options(const Settings& settings, const Paths& paths) {
  return options(settings.status_listen, settings.status_ssl_cert, settings.status_ssl_cert_key,
                 paths.ssl + "/status-kong-default");
}

/// A file's path and when it was written.
std::string file_state(const std::string& path) {
  std::error_code ignored;
  return path + '@' +
         std::to_string(std::filesystem::last_write_time(path, ignored).time_since_epoch().count()) + '\n';
}

}  // namespace

Status check_addresses(const Settings& settings, const Paths& paths) {
  for (const auto& [key, server] : {std::pair("admin_listen", admin_options(settings, paths)),
                                    std::pair("status_listen", status_options(settings, paths))})
    for (const http::Listen& listen : server.listen)
      if (auto status = http::check_tls(listen); !status.ok())
        return Error{key + (": " + status.error().message), key};
  return {};
}

std::string Process::listening_state(const Settings& settings, const Paths& paths) {
  std::string state;
  for (const auto& server : {admin_options(settings, paths), status_options(settings, paths)}) {
    for (const http::Listen& listen : server.listen) {
      state += listen.host + ' ' + std::to_string(listen.port) + '\n';
      for (const std::string* file :
           {&listen.certificate_file, &listen.key_file, &listen.client_authorities_file})
        state += file->empty() ? "-\n" : file_state(*file);
    }
    state += "=\n";
  }
  return state;
}

Status Process::listen() {
  const auto settings = this->settings();
  listening_ = listening_state(*settings, paths_);
  if (!settings->admin_listen.empty()) {
    auto admin = admin_options(*settings, paths_);
    admin.threads = 2;
    auto server = http::Server::start_async(admin, [this](http::Request& request, http::Responder responder) {
      // Before it waits among the changes, which are few at a time.
      if (auto refused = api(Api::Kind::kAdmin)->refusal(request)) return responder.send(std::move(*refused));
      if (!Api::is_write(request)) return responder.send(api(Api::Kind::kAdmin)->handle(request));
      struct Waiting {
        http::Request request;
        http::Responder responder;
      };
      auto waiting = std::make_shared<Waiting>(Waiting{std::move(request), std::move(responder)});
      if (!writes_->push(
              [this, waiting] { waiting->responder.send(api(Api::Kind::kAdmin)->handle(waiting->request)); }))
        waiting->responder.send(message_reply(503, "too many changes wait already"));
    });
    if (!server.ok()) return Error{"admin_listen: " + server.error().message, "admin_listen"};
    servers_.push_back(std::move(*server));
  }
  if (!settings->status_listen.empty()) {
    auto server = http::Server::start(
        status_options(*settings, paths_),
        [this](const http::Request& request) { return api(Api::Kind::kStatus)->handle(request); });
    if (!server.ok()) return Error{"status_listen: " + server.error().message, "status_listen"};
    servers_.push_back(std::move(*server));
  }
  return {};
}

void Process::stop_listening() {
  for (const auto& server : servers_) server->stop(5s);
  servers_.clear();
}

}  // namespace gibbon::agent
