#include "config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/bundle.hpp"
#include "config/settings_keys.hpp"

namespace gibbon {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

Settings good(const Settings::Values& values) {
  auto settings = Settings::from_values(values);
  EXPECT_TRUE(settings.ok()) << settings.error().message;
  return settings ? *settings : Settings{};
}

std::string bad(const Settings::Values& values) {
  const auto settings = Settings::from_values(values);
  return settings ? "" : settings.error().message;
}

TEST(Settings, HaveKongsDefaults) {
  const Settings settings = good({});
  EXPECT_EQ(settings.prefix, "/usr/local/gibbon");
  ASSERT_EQ(settings.proxy_listen.size(), 2u);
  EXPECT_EQ(settings.proxy_listen[0].text(), "0.0.0.0:8000 reuseport backlog=16384");
  EXPECT_EQ(settings.proxy_listen[1].text(), "0.0.0.0:8443 ssl http2 reuseport backlog=16384");
  EXPECT_EQ(settings.admin_listen[0].address(), "127.0.0.1:8001");
  EXPECT_EQ(settings.status_listen[0].address(), "127.0.0.1:8007");
  EXPECT_EQ(settings.logs_listen.address(), "127.0.0.1:3000");
  EXPECT_FALSE(settings.log_service);
  EXPECT_EQ(settings.database, "sqlite");
  EXPECT_EQ(settings.nginx_worker_processes, "auto");
  EXPECT_EQ(settings.ring_size_bytes, 32u << 20);
  EXPECT_EQ(settings.spool_max_size_bytes, 1u << 30);
  EXPECT_EQ(settings.upstream_keepalive_pool_size, 512u);
  EXPECT_THAT(settings.headers, ElementsAre("server_tokens", "latency_tokens", "x-kong-request-id"));
  EXPECT_TRUE(settings.nginx_daemon);
  EXPECT_THAT(settings.plugins, ElementsAre("acl", "basic-auth", "correlation-id", "cors", "file-log", "http-log", "ip-restriction", "key-auth",
                          "prometheus", "rate-limiting", "request-size-limiting", "request-termination",
                          "request-transformer", "response-transformer"));
  EXPECT_THAT(settings.notes, IsEmpty());
}

TEST(Settings, AllDefaultsAreValid) {
  const Settings settings = good({});
  EXPECT_EQ(good(settings.effective).effective, settings.effective);
}

struct BadCase {
  const char *key, *value, *message;
};

class BadSettings : public testing::TestWithParam<BadCase> {};

TEST_P(BadSettings, AreRefusedWithTheReason) {
  EXPECT_EQ(bad({{GetParam().key, GetParam().value}}), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSettings,
    testing::Values(
        BadCase{"database", "postgres",
                "database has an invalid value: 'postgres' (sqlite, off): Gibbon stores its configuration in "
                "SQLite, or "
                "in a declarative file with 'off'"},
        BadCase{
            "log_level", "loud",
            "log_level has an invalid value: 'loud' (debug, info, notice, warn, error, crit, alert, emerg)"},
        BadCase{"nginx_daemon", "maybe", "nginx_daemon is not a boolean: 'maybe'"},
        BadCase{"nginx_main_daemon", "maybe", "nginx_main_daemon is not a boolean: 'maybe'"},
        BadCase{"upstream_keepalive_pool_size", "many",
                "upstream_keepalive_pool_size is not a number: 'many'"},
        BadCase{"upstream_keepalive_pool_size", "-1", "upstream_keepalive_pool_size must be 0 or greater"},
        BadCase{"upstream_keepalive_idle_timeout", "-1",
                "upstream_keepalive_idle_timeout must be 0 or greater"},
        BadCase{"ring_size", "big", "ring_size is not a size (a number, or one with k, m or g): 'big'"},
        BadCase{"ring_size", "1k", "ring_size must be 64k or greater"},
        BadCase{"ring_size", "5g", "ring_size must be 4g or less"},
        BadCase{
            "trusted_ips", "10.0.0.0/33",
            "trusted_ips must be a comma separated list in the form of IPv4 or IPv6 address or CIDR block or "
            "'unix:', got '10.0.0.0/33'"},
        BadCase{"dns_resolver", "example.com",
                "dns_resolver must be a comma separated list in the form of IPv4/6 or IPv4/6:port, got "
                "'example.com'"},
        BadCase{"headers", "server_tokens, nope", "headers: invalid entry 'nope'"},
        BadCase{"headers_upstream", "via", "headers_upstream: invalid entry 'via'"},
        BadCase{"ssl_cert", "/a.crt", "ssl_cert_key must be specified"},
        BadCase{"admin_ssl_cert_key", "/a.key", "admin_ssl_cert must be specified"},
        BadCase{"ssl_protocols", "SSLv3",
                "ssl_protocols: invalid entry 'SSLv3' (TLSv1, TLSv1.1, TLSv1.2, TLSv1.3)"},
        BadCase{"role", "data_plane", "role has an invalid value: 'data_plane' (traditional)"},
        BadCase{"router_flavor", "expressions",
                "router_flavor has an invalid value: 'expressions' (traditional, traditional_compatible)"},
        BadCase{"error_default_type", "text/csv",
                "error_default_type has an invalid value: 'text/csv' (application/json, application/xml, "
                "text/html, "
                "text/plain)"},
        BadCase{"nginx_worker_processes", "0",
                "nginx_worker_processes must be 'auto' or a number between 1 and 128, got '0'"},
        BadCase{"plugins", "../../evil", "plugins: invalid entry '../../evil'"},
        BadCase{"proxy_lisen", "x", "unknown key 'proxy_lisen'; did you mean 'proxy_listen'?"},
        BadCase{"pluginz", "x", "unknown key 'pluginz'; did you mean 'plugins'?"},
        BadCase{"utterly_unlike_anything_known", "x", "unknown key 'utterly_unlike_anything_known'"}));

TEST(Settings, ReportAllProblemsTogether) {
  const std::string message =
      bad({{"log_level", "x"}, {"database", "cassandra"}, {"admin_listen", "nonsense"}});
  EXPECT_THAT(message, HasSubstr("log_level has"));
  EXPECT_THAT(message, HasSubstr("database has"));
  EXPECT_THAT(message, HasSubstr("admin_listen must be of form: [off] | <ip>:<port> [ssl]"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 2);
}

TEST(Settings, NameThePluginsOnceAndInOrder) {
  std::vector<std::string> expected(std::begin(kBundle), std::end(kBundle));
  EXPECT_THAT(expected, testing::IsSupersetOf({"acl", "basic-auth", "key-auth"}));
  expected.insert(expected.end(), {"request-response-logger", "b"});
  EXPECT_THAT(good({{"plugins", "bundled, request-response-logger,b,request-response-logger"}}).plugins,
              ElementsAreArray(expected));
  EXPECT_THAT(good({{"plugins", "off"}}).plugins, IsEmpty());
}

TEST(Settings, LetADirectiveWinOverItsAlias) {
  const Settings settings = good({{"nginx_main_worker_processes", "3"}, {"nginx_worker_processes", "2"}});
  EXPECT_EQ(settings.nginx_worker_processes, "3");
  EXPECT_EQ(good({{"nginx_http_client_body_buffer_size", "16k"}}).http_directives.back(),
            (Settings::Directive{"client_body_buffer_size", "16k"}));
}

TEST(Settings, InjectDirectives) {
  const Settings settings =
      good({{"nginx_http_gzip", "on"}, {"nginx_http_charset", "NONE"}, {"nginx_http_lua_x", "1"}});
  EXPECT_THAT(settings.http_directives, testing::Contains(Settings::Directive{"gzip", "on"}));
  EXPECT_THAT(settings.http_directives, testing::Contains(Settings::Directive{"client_max_body_size", "0"}));
  for (const auto& directive : settings.http_directives) {
    EXPECT_NE(directive.name, "charset");
    EXPECT_FALSE(directive.name.starts_with("lua_")) << directive.name;
  }
  EXPECT_THAT(settings.notes, ElementsAre("'nginx_http_lua_x' has no effect in Gibbon"));
}

TEST(Settings, TakeKongsUnusedKeysWithANote) {
  const Settings settings =
      good({{"pg_host", "localhost"}, {"lua_package_path", "./?.lua"}, {"db_cache_ttl", "0"}});
  EXPECT_THAT(settings.notes,
              ElementsAre("'lua_package_path' has no effect in Gibbon", "'pg_host' has no effect in Gibbon"));
}

TEST(Settings, NormalizeNameServers) {
  EXPECT_THAT(good({{"dns_resolver", "127.0.0.1, 127.0.0.1:5353, ::1, [::1]:54"}}).dns_resolver,
              ElementsAre("127.0.0.1:53", "127.0.0.1:5353", "[::1]:53", "[::1]:54"));
}

struct ListenCase {
  const char *value, *text;  ///< text: the entries joined by ", "; null: refused.
};

class Listeners : public testing::TestWithParam<ListenCase> {};

TEST_P(Listeners, AreReadAsInKong) {
  const auto listeners = parse_listeners("proxy_listen", GetParam().value);
  if (GetParam().text == nullptr) {
    ASSERT_FALSE(listeners.ok()) << listeners->size();
    EXPECT_THAT(listeners.error().message, HasSubstr("proxy_listen must be of form: [off] | <ip>:<port> ["));
    EXPECT_EQ(listeners.error().field, "proxy_listen");
    return;
  }
  ASSERT_TRUE(listeners.ok()) << listeners.error().message;
  std::string text;
  for (const Listener& listener : *listeners) text += (text.empty() ? "" : ", ") + listener.text();
  EXPECT_EQ(text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Listeners,
    testing::Values(
        ListenCase{"127.0.0.1:8000", "127.0.0.1:8000"}, ListenCase{"off", ""},
        ListenCase{" 0.0.0.0:1 , ", "0.0.0.0:1"},
        ListenCase{"[::]:8000 ipv6only=on", "[::]:8000 ipv6only=on"},
        ListenCase{"ssl 127.0.0.1:8443 http2", "127.0.0.1:8443 ssl http2"},
        ListenCase{"127.0.0.1:1 proxy_protocol deferred bind reuseport backlog=5 so_keepalive=30m::10",
                   "127.0.0.1:1 proxy_protocol deferred bind reuseport backlog=5 so_keepalive=30m::10"},
        ListenCase{"127.0.0.1:1 so_keepalive=on, 127.0.0.1:2 ssl",
                   "127.0.0.1:1 so_keepalive=on, 127.0.0.1:2 ssl"},
        ListenCase{"localhost:8000", "localhost:8000"}, ListenCase{"", nullptr}, ListenCase{"8000", nullptr},
        ListenCase{"127.0.0.1", nullptr}, ListenCase{"127.0.0.1:0", nullptr},
        ListenCase{"127.0.0.1:65536", nullptr}, ListenCase{"127.0.0.1:80x", nullptr},
        ListenCase{"::1:8000", nullptr}, ListenCase{"[127.0.0.1]:80", nullptr},
        ListenCase{"127.0.0.1:80 quick", nullptr}, ListenCase{"127.0.0.1:80 127.0.0.1:81", nullptr},
        ListenCase{"127.0.0.1:80 backlog=", nullptr}, ListenCase{"127.0.0.1:80 so_keepalive=maybe", nullptr},
        ListenCase{"127.0.0.1:80 so_keepalive=1:2:3:4", nullptr}, ListenCase{"1.2.3:80", nullptr},
        ListenCase{"ssl", nullptr}, ListenCase{"a;b:80", nullptr}));

TEST(ParseSize, ReadsNginxsUnits) {
  EXPECT_EQ(parse_size("1024"), 1024u);
  EXPECT_EQ(parse_size("8k"), 8192u);
  EXPECT_EQ(parse_size("32M"), 32u << 20);
  EXPECT_EQ(parse_size("1g"), 1u << 30);
  for (const char* text : {"", "k", "1t", "-1", "1.5m", "99999999999999g", "1 m"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(SettingsFile, ReadsKongsSyntax) {
  const auto values = Settings::parse_file(
      "# a comment\n"
      "\n"
      "Log_Level = debug   # why not\n"
      "proxy_access_log=logs/a\\#b.log\n"
      "  headers =   off\n"
      "plugins = a, \\\n"
      "  b\n"
      "real_ip_header = \"X-#1\" # quoted\n"
      "declarative_config_string = '{\"a\": \"#\\n\"}'\n"
      "nginx_http_log_format = x '\"$request\"'\n"
      "empty =\n");
  ASSERT_TRUE(values.ok()) << values.error().message;
  EXPECT_EQ(*values, (Settings::Values{{"log_level", "debug"},
                                       {"proxy_access_log", "logs/a#b.log"},
                                       {"headers", "off"},
                                       {"plugins", "a, b"},
                                       {"real_ip_header", "X-#1"},
                                       {"declarative_config_string", "{\"a\": \"#\\n\"}"},
                                       {"nginx_http_log_format", "x '\"$request\"'"},
                                       {"empty", ""}}));
}

TEST(SettingsFile, NamesTheLinesThatAreWrong) {
  const auto values = Settings::parse_file("log_level = info\nnonsense\n= x\n");
  ASSERT_FALSE(values.ok());
  EXPECT_EQ(values.error().message,
            "line 2: expected 'key = value', got 'nonsense'\nline 3: expected 'key = value', got '= x'");
}

/// packaging/gibbon.conf with every `#key = value` line uncommented.
Settings::Values example() {
  std::ifstream stream(GIBBON_SOURCE_DIR "/packaging/gibbon.conf");
  std::string text;
  for (std::string line; std::getline(stream, line);) {
    const bool is_key =
        line.starts_with('#') && line.size() > 1 && std::islower(line[1]) && line.find(" =") != line.npos;
    if (is_key) text += line.substr(1) + "\n";
  }
  const auto values = Settings::parse_file(text);
  EXPECT_TRUE(values.ok()) << values.error().message;
  return values ? *values : Settings::Values{};
}

TEST(ExampleConf, ShowsEveryKeyWithItsDefault) {
  const Settings::Values shown = example();
  const Settings defaults = good({});
  for (const settings::Key& key : settings::keys()) {
    const std::string name(key.name);
    if (key.use == settings::Use::kIgnored || name == "conf_file" || name == "from_environment") continue;
    ASSERT_TRUE(shown.contains(name)) << name;
    EXPECT_EQ(shown.at(name), key.fallback) << name;
  }
  EXPECT_EQ(good(shown).effective, defaults.effective);
}

class SettingsOnDisk : public testing::Test {
 protected:
  SettingsOnDisk() {
    std::string folder = testing::TempDir() + "settings-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  ~SettingsOnDisk() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(SettingsOnDisk, VariablesWinOverTheFileAndOursOverKongs) {
  const std::string file =
      write("a.conf", "log_level = info\nplugins = a\ndatabase = off\nprefix = /nowhere\n");
  const char* environment[] = {
      "KONG_LOG_LEVEL=warn",     "GIBBON_PLUGINS=c",  "KONG_PLUGINS=b", "KONG_VERSION=3.9",
      "KONG_NGINX_HTTP_GZIP=on", "GIBBON_SHM_DIR=/x", nullptr};
  const auto settings = Settings::load(file, folder_, environment);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->log_level, "warn");
  EXPECT_THAT(settings->plugins, ElementsAre("c"));
  EXPECT_EQ(settings->database, "off");
  EXPECT_EQ(settings->prefix, folder_);
  EXPECT_THAT(settings->http_directives, testing::Contains(Settings::Directive{"gzip", "on"}));
}

TEST_F(SettingsOnDisk, AMissingFileIsNamed) {
  const char* none[] = {nullptr};
  EXPECT_EQ(Settings::load("/no/such.conf", "", none).error().message, "no file at: /no/such.conf");
  const std::string file =
      write("b.conf", "dns_hostsfile = /no/hosts\nssl_cert = /no.crt\nssl_cert_key = /no.key\n");
  EXPECT_EQ(Settings::load(file, "", none).error().message,
            "dns_hostsfile: file does not exist\nssl_cert: failed loading certificate from /no.crt\n"
            "ssl_cert_key: failed loading key from /no.key");
}

TEST_F(SettingsOnDisk, TheChildrenReadWhatTheStartWrote) {
  const Settings settings = good({{"prefix", folder_},
                                  {"declarative_config_string", "a: \"x\"\n# comment\n\\n 'y'\n"},
                                  {"real_ip_header", " X-#1 "},
                                  {"nginx_http_gzip", "on"}});
  ASSERT_TRUE(settings.store_effective().ok());
  struct stat info {};
  ASSERT_EQ(::stat((folder_ + "/.gibbon_env").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto read = Settings::load_effective(folder_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->effective, settings.effective);
  EXPECT_EQ(read->declarative_config_string, "a: \"x\"\n# comment\n\\n 'y'\n");
}

TEST_F(SettingsOnDisk, AReloadKeepsWhatCameFromVariables) {
  const std::string file = write("c.conf", "log_level = info\nplugins = a\n");
  const char* environment[] = {"GIBBON_PLUGINS=c", nullptr};
  const auto first = Settings::load(file, folder_, environment);
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(first->store_effective().ok());
  write("c.conf", "log_level = debug\n");
  const char* none[] = {nullptr};
  const auto second = Settings::reload("", folder_, none);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->log_level, "debug");
  EXPECT_THAT(second->plugins, ElementsAre("c"));
}

TEST_F(SettingsOnDisk, NothingWasStarted) {
  EXPECT_EQ(Settings::load_effective(folder_).error().message, "Gibbon is not running at " + folder_);
  EXPECT_EQ(Settings::load_effective("/no/such").error().message, "no such prefix: /no/such");
}

}  // namespace
}  // namespace gibbon
