#include "app/nginx_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gibbon::app {
namespace {

using testing::HasSubstr;
using testing::Not;

NginxHost host() {
  return {.module = "/opt/gibbon/lib/gibbon/ngx_http_gibbon_module.so",
          .user = "www-data www-data",
          .temporary = "/var/tmp/gibbon-1",
          .certificate_authorities = "/etc/ssl/certs/ca-certificates.crt",
          .name_servers = {"127.0.0.1:53"},
          .open_files = 4096,
          .node_id = "3f1c2d4e-0000-4000-8000-000000000001",
          .workers = 2};
}

std::string conf(Settings::Values values, const NginxHost& with = host()) {
  values.emplace("prefix", "/tmp/p");
  const auto settings = Settings::from_values(values);
  EXPECT_TRUE(settings.ok()) << settings.error().message;
  return settings ? nginx_conf(*settings, Paths::of("/tmp/p"), with) : "";
}

TEST(NginxConf, SaysWhatKongsTemplateSays) {
  const std::string text = conf({});
  for (const char* line : {"load_module /opt/gibbon/lib/gibbon/ngx_http_gibbon_module.so;\n",
                           "pid /tmp/p/pids/nginx.pid;\n",
                           "\nerror_log logs/error.log notice;\n",
                           "\nuser www-data www-data;\n",
                           "\nworker_processes 2;\n",
                           "\nworker_rlimit_nofile 4096;\n",
                           "  worker_connections 4096;\n",
                           "  multi_accept on;\n",
                           "  server_tokens off;\n",
                           "  underscores_in_headers on;\n",
                           "  client_max_body_size 0;\n",
                           "  charset UTF-8;\n",
                           "  keepalive_requests 10000;\n",
                           "  client_body_buffer_size 8k;\n",
                           "  client_body_temp_path /var/tmp/gibbon-1/client_body;\n",
                           "  resolver 127.0.0.1:53 ipv6=off;\n",
                           "    listen 0.0.0.0:8000 reuseport backlog=16384;\n",
                           "    listen 0.0.0.0:8443 ssl http2 reuseport backlog=16384;\n",
                           "    access_log logs/access.log kong_log_format;\n",
                           "    ssl_certificate /tmp/p/ssl/kong-default.crt;\n",
                           "    ssl_certificate_key /tmp/p/ssl/kong-default-ecdsa.key;\n",
                           "    ssl_protocols TLSv1.2 TLSv1.3;\n",
                           "    error_page 494 =494 /kong_error_handler;\n",
                           "    real_ip_header X-Real-IP;\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(NginxConf, HandsTheModuleItsSettings) {
  const std::string text = conf({{"plugins", "request-response-logger"},
                                 {"ring_size", "64k"},
                                 {"plugin_path", "/a b/plugins"},
                                 {"plugin_wait_timeout", "1500"},
                                 {"trusted_ips", "10.0.0.0/8, unix:"},
                                 {"headers", "off"},
                                 {"dns_hostsfile", "/etc/hosts"}});
  for (const char* line :
       {"  gibbon_ring_size 65536;\n", "  gibbon_plugin_path \"/a b/plugins\" ",
        "  gibbon_plugins request-response-logger;\n", "  gibbon_hosts_file /etc/hosts;\n",
        "  gibbon_plugin_wait 1500ms;\n", "  gibbon_node_id 3f1c2d4e-0000-4000-8000-000000000001;\n",
        "  gibbon_resolv_conf /etc/resolv.conf;\n", "  gibbon_trusted_ips 10.0.0.0/8 unix:;\n",
        "  gibbon_headers off;\n", "  gibbon_headers_upstream x-kong-request-id;\n",
        "    set_real_ip_from 10.0.0.0/8;\n", "    gibbon_balancer;\n", "      gibbon on;\n",
        "      gibbon_error_handler;\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(NginxConf, TakesForwardingHeadersFromNobodyButTheModule) {
  const std::string text = conf({});
  for (const char* name :
       {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Path",
        "X-Forwarded-Prefix", "X-Real-IP", "X-Kong-Request-Id", "Proxy"}) {
    EXPECT_THAT(text, HasSubstr(std::string("proxy_set_header ") + name + " \"\";\n"));
    EXPECT_THAT(text, HasSubstr(std::string("grpc_set_header ") + name + " "));
  }
  EXPECT_THAT(text, HasSubstr("proxy_set_header Via $gibbon_forwarded;\n"));
  EXPECT_THAT(text, HasSubstr("grpc_set_header TE trailers;\n"));
}

TEST(NginxConf, LeavesOutWhatIsNotThere) {
  NginxHost bare = host();
  bare.user.clear();
  bare.certificate_authorities.clear();
  bare.name_servers.clear();
  const std::string text = conf({{"proxy_listen", "127.0.0.1:8000"}, {"proxy_access_log", "off"}, {"plugins", "off"}}, bare);
  for (const char* part :
       {"\nuser ", "resolver ", "trusted_certificate", "ssl_certificate", "gibbon_plugins"}) {
    EXPECT_THAT(text, Not(HasSubstr(part)));
  }
  EXPECT_THAT(text, HasSubstr("    access_log off;\n"));
  EXPECT_THAT(conf({{"proxy_listen", "off"}}), Not(HasSubstr("server {")));
}

TEST(NginxConf, InjectsDirectives) {
  const std::string text = conf({{"nginx_http_gzip", "on"},
                                 {"nginx_proxy_proxy_buffers", "8 16k"},
                                 {"nginx_location_limit_rate", "1k"},
                                 {"nginx_events_worker_connections", "100"},
                                 {"nginx_main_worker_shutdown_timeout", "5s"},
                                 {"proxy_access_log", "logs/a.log combined"}});
  for (const char* line :
       {"  gzip on;\n", "    proxy_buffers 8 16k;\n", "      limit_rate 1k;\n", "  worker_connections 100;\n",
        "\nworker_shutdown_timeout 5s;\n", "    access_log logs/a.log combined;\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(NginxConf, LeavesVerificationToTheServices) {
  const std::string text = conf({{"lua_ssl_verify_depth", "3"}});
  for (const char* line : {"  gibbon_tls_verify off;\n", "      proxy_ssl_verify on;\n", "      grpc_ssl_verify on;\n",
                           "      proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;\n",
                           "      proxy_ssl_verify_depth 3;\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  for (const char* key : {"nginx_http_proxy_ssl_verify", "nginx_proxy_proxy_ssl_verify", "nginx_location_proxy_ssl_verify"})
    EXPECT_THAT(conf({{key, "on"}}), HasSubstr("  gibbon_tls_verify on;\n")) << key;
  const std::string own = conf({{"nginx_location_proxy_ssl_verify", "off"},
                                {"nginx_proxy_proxy_ssl_trusted_certificate", "/own.pem"},
                                {"nginx_proxy_proxy_ssl_verify_depth", "7"}});
  EXPECT_THAT(own, HasSubstr("    proxy_ssl_trusted_certificate /own.pem;\n"));
  EXPECT_THAT(own, Not(HasSubstr("proxy_ssl_trusted_certificate /etc/")));
  EXPECT_THAT(own, Not(HasSubstr("proxy_ssl_verify_depth 1;")));
  EXPECT_THAT(own, Not(HasSubstr("proxy_ssl_verify off;"))) << "nginx takes the directive once in a location";
}

TEST(NginxConf, ShowsACertificateToUpstreamsWhereAsked) {
  EXPECT_THAT(conf({}), Not(HasSubstr("proxy_ssl_certificate ")));
  EXPECT_THAT(conf({{"client_ssl", "on"}}), HasSubstr("      proxy_ssl_certificate /tmp/p/ssl/kong-default.crt;\n"));
  const std::string own = conf({{"client_ssl", "on"}, {"client_ssl_cert", "/c.crt"}, {"client_ssl_cert_key", "/c.key"}});
  EXPECT_THAT(own, HasSubstr("      grpc_ssl_certificate /c.crt;\n      grpc_ssl_certificate_key /c.key;\n"));
}

TEST(NginxConf, KeepsUpstreamConnectionsAsAsked) {
  EXPECT_THAT(
      conf({}),
      HasSubstr("    keepalive 512;\n    keepalive_requests 10000;\n    keepalive_timeout 60000ms;\n"));
  EXPECT_THAT(conf({{"upstream_keepalive_pool_size", "0"}}), Not(HasSubstr("  keepalive ")));
  EXPECT_THAT(conf({{"upstream_keepalive_idle_timeout", "0.5"}}),
              HasSubstr("    keepalive_timeout 500ms;\n"));
}

TEST(NginxConf, PrefersTheNamedResolverAndCertificates) {
  const std::string text =
      conf({{"dns_resolver", "127.0.0.53"}, {"ssl_cert", "/c.crt"}, {"ssl_cert_key", "/c.key"}});
  EXPECT_THAT(text, HasSubstr("resolver 127.0.0.53:53 ipv6=off;"));
  EXPECT_THAT(text, HasSubstr("ssl_certificate /c.crt;\n"));
  EXPECT_THAT(text, Not(HasSubstr("kong-default")));
}

}  // namespace
}  // namespace gibbon::app
