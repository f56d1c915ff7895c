#include <openssl/ssl.h>

#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/phases.hpp"
#include "gateway/nginx/worker.hpp"

extern "C" {
#include <ngx_http_ssl_module.h>
}

namespace gibbon::nginx {
namespace {

void run_plugins(const gateway::Runtime& runtime, const char* name) noexcept {
  for (const gateway::ChainItem& item : runtime.global_chain().certificate()) {
    try {
      item.plugin->certificate(name != nullptr ? name : "", item.config);
    } catch (const std::exception& e) {
      ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "[%s] exception in certificate: %s", item.plugin->name, e.what());
    } catch (...) {
      ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "[%s] exception in certificate", item.plugin->name);
    }
  }
}

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
  run_plugins(*runtime, name);
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
