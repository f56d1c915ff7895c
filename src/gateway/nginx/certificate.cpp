#include <openssl/ssl.h>

#include "base/ascii.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/kit/node.hpp"
#include "gateway/nginx/phases.hpp"
#include "gateway/nginx/worker.hpp"

extern "C" {
#include <ngx_http_ssl_module.h>
}

namespace gibbon::nginx {
namespace {

/// The plugin kit's view of a handshake: see include/gibbon/plugin.hpp.
class HandshakeAdapter final : public Handshake, public Caller {
 public:
  HandshakeAdapter(const SSL* ssl, const char* name)
      : connection_(static_cast<ngx_connection_t*>(ngx_ssl_get_connection(ssl))), node_(*this), log_(*this) {
    if (name != nullptr) name_ = ascii_lower(name);
  }
  [[nodiscard]] std::string_view server_name() const override { return name_; }
  [[nodiscard]] std::string_view client_ip() const override { return view(connection_->addr_text); }
  Node& node() override { return node_; }
  Log& log() override { return log_; }

  [[nodiscard]] const PluginDescriptor* plugin() const override { return plugin_; }
  [[nodiscard]] Phase phase() const override { return Phase::kCertificate; }
  [[nodiscard]] ngx_log_t* log() const override { return connection_->log; }
  void resume(std::coroutine_handle<>) noexcept override {}  // Nothing can wait here.

  void run(const gateway::ChainItem& item) noexcept {
    plugin_ = item.plugin;
    const char* what = nullptr;
    std::string text;
    try {
      item.plugin->certificate(*this, item.config);
    } catch (const std::exception& e) {
      text = e.what();
      what = text.c_str();
    } catch (...) {
      what = "it threw something that is no std::exception";
    }
    if (what != nullptr)
      ngx_log_error(NGX_LOG_ERR, connection_->log, 0, "[%s] exception in certificate: %s", item.plugin->name, what);
  }

 private:
  ngx_connection_t* connection_;
  const PluginDescriptor* plugin_ = nullptr;
  std::string name_;
  NodeAdapter node_;
  LogAdapter log_;
};

/// OpenSSL asks for a certificate: that of the server name, where the configuration has one; else the server's own
/// stands. 0 ends the handshake.
int choose_certificate(SSL* ssl, void*) noexcept {
  Worker* here = worker();
  if (here == nullptr) return 1;
  gateway::Runtime* runtime = here->acquire_runtime();
  if (runtime == nullptr) return 1;
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  int result = 1;
  const gateway::tls::Certificate* certificate =
      name != nullptr ? runtime->certificates().for_server_name(name) : nullptr;
  if (certificate != nullptr && !certificate->use(ssl)) {
    // Without the name, which a client chose.
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "[ssl] a certificate cannot be used: its key is too weak for the ciphers' security level, or memory "
                  "is short");
    result = 0;
  }
  if (const auto items = runtime->global_chain().certificate(); !items.empty()) {
    HandshakeAdapter handshake(ssl, name);
    for (const gateway::ChainItem& item : items) handshake.run(item);
  }
  here->release_runtime(runtime);
  return result;
}

}  // namespace

ngx_int_t install_certificate_phase(ngx_conf_t* cf) {
  auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  auto** servers = static_cast<ngx_http_core_srv_conf_t**>(cmcf->servers.elts);
  for (ngx_uint_t i = 0; i < cmcf->servers.nelts; ++i) {
    auto* sscf = static_cast<ngx_http_ssl_srv_conf_t*>(servers[i]->ctx->srv_conf[ngx_http_ssl_module.ctx_index]);
    if (sscf != nullptr && sscf->ssl.ctx != nullptr) SSL_CTX_set_cert_cb(sscf->ssl.ctx, choose_certificate, nullptr);
  }
  return NGX_OK;
}

}  // namespace gibbon::nginx
