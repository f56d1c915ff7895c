// The agent's addresses: the Admin API and the status API.
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
                            const std::vector<std::string>& keys, const std::string& default_certificate) {
  http::ServerOptions options;
  for (const auto& listener : listeners) {
    http::Listen listen{listener.ip, listener.port, "", ""};
    if (listener.ssl) {
      listen.certificate_file = certificates.empty() ? default_certificate + ".crt" : certificates.front();
      listen.key_file = keys.empty() ? default_certificate + ".key" : keys.front();
    }
    options.listen.push_back(std::move(listen));
  }
  options.server_header = kServerTokens;
  options.max_body_bytes = kMaxBody;
  return options;
}

}  // namespace

Status Process::listen() {
  const auto settings = this->settings();
  if (!settings->admin_listen.empty()) {
    auto admin = options(settings->admin_listen, settings->admin_ssl_cert, settings->admin_ssl_cert_key,
                         paths_.ssl + "/admin-kong-default");
    admin.threads = 2;
    auto server = http::Server::start_async(admin, [this](http::Request& request, http::Responder responder) {
      if (!Api::is_write(request)) return responder.send(api(Api::Kind::kAdmin)->handle(request));
      struct Waiting {
        http::Request request;
        http::Responder responder;
      };
      auto waiting = std::make_shared<Waiting>(Waiting{std::move(request), std::move(responder)});
      if (!writes_->push([this, waiting] { waiting->responder.send(api(Api::Kind::kAdmin)->handle(waiting->request)); }))
        waiting->responder.send(message_reply(503, "too many changes wait already"));
    });
    if (!server.ok()) return Error{"admin_listen: " + server.error().message, "admin_listen"};
    servers_.push_back(std::move(*server));
  }
  if (!settings->status_listen.empty()) {
    auto server =
        http::Server::start(options(settings->status_listen, settings->status_ssl_cert,
                                    settings->status_ssl_cert_key, paths_.ssl + "/status-kong-default"),
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
