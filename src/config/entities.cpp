#include "config/entities.hpp"

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <limits>

namespace gibbon::config {
namespace {

/// Reads the members of one entity; the first that has another type than its schema says is the error.
class Reader {
 public:
  Reader(const json::object& object, std::string entity) : object_(object), entity_(std::move(entity)) {}

  void read(const char* name, std::string& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_string()) {
      out = value->get_string();
    } else {
      fail(name, "a string");
    }
  }

  void read(const char* name, bool& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_bool()) {
      out = value->get_bool();
    } else {
      fail(name, "a boolean");
    }
  }

  template <std::integral Number>
  void read(const char* name, Number& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    boost::system::error_code error;
    const Number number = value->to_number<Number>(error);
    if (error) {
      fail(name, "an integer in its range");
    } else {
      out = number;
    }
  }

  template <typename T>
  void read(const char* name, std::optional<T>& out) {
    if (find(name) == nullptr) return;
    T value{};
    read(name, value);
    out = value;
  }

  void read(const char* name, std::vector<std::string>& out) {
    const json::value* value = find(name);
    if (value != nullptr) read_texts(name, *value, out);
  }

  /// The id inside {"id": "..."}.
  void read_reference(const char* name, std::string& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    const json::value* id = value->is_object() ? value->get_object().if_contains("id") : nullptr;
    if (id != nullptr && id->is_string()) {
      out = id->get_string();
    } else {
      fail(name, "a reference with an id");
    }
  }

  void read(const char* name, std::vector<Endpoint>& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_array()) return fail(name, "an array");
    for (const json::value& element : value->get_array()) {
      if (!element.is_object()) return fail(name, "an array of records");
      Reader nested(element.get_object(), entity_);
      Endpoint endpoint;
      nested.read("ip", endpoint.ip);
      nested.read("port", endpoint.port);
      if (!nested.status()) return fail(name, "an array of records with ip and port");
      out.push_back(std::move(endpoint));
    }
  }

  void read_headers(const char* name, std::vector<std::pair<std::string, std::vector<std::string>>>& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_object()) return fail(name, "a map");
    for (const auto& member : value->get_object()) {
      std::string key = member.key();
      std::transform(key.begin(), key.end(), key.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      std::vector<std::string> values;
      read_texts(name, member.value(), values);
      out.emplace_back(std::move(key), std::move(values));
    }
  }

  void read(const char* name, double& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_number()) {
      out = value->to_number<double>();
    } else {
      fail(name, "a number");
    }
  }

  void read(const char* name, std::vector<std::uint16_t>& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    out.clear();
    if (!value->is_array()) return fail(name, "an array");
    for (const json::value& element : value->get_array()) {
      boost::system::error_code error;
      const auto number = element.to_number<std::uint16_t>(error);
      if (error) return fail(name, "an array of integers in their range");
      out.push_back(number);
    }
  }

  /// One of the words of `words`, by its place.
  template <typename Enum>
  void read(const char* name, std::initializer_list<std::pair<std::string_view, Enum>> words, Enum& out) {
    std::string text;
    read(name, text);
    for (const auto& [word, value] : words) {
      if (word == text) {
        out = value;
        return;
      }
    }
    if (!text.empty()) fail(name, "one of the words that its schema names");
  }

  /// A record's members, read by `visit(Reader&)`; an absent one reads nothing.
  template <typename Visit>
  void read_record(const char* name, Visit visit) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_object()) return fail(name, "a record");
    Reader nested(value->get_object(), entity_ + "." + name);
    visit(nested);
    if (!nested.status() && status_) status_ = nested.status();
  }

  void read(const char* name, json::object& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (value->is_object()) {
      out = value->get_object();
    } else {
      fail(name, "a record");
    }
  }

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const Error& error() const { return status_.error(); }

 private:
  /// The member, unless it is absent or null.
  [[nodiscard]] const json::value* find(const char* name) const {
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  void read_texts(const char* name, const json::value& value, std::vector<std::string>& out) {
    if (!value.is_array()) return fail(name, "an array");
    for (const json::value& element : value.get_array()) {
      if (!element.is_string()) return fail(name, "an array of strings");
      out.emplace_back(element.get_string());
    }
  }

  void fail(const char* name, const char* wanted) {
    if (status_) status_ = Error{entity_ + "." + name + ": expected " + wanted, name};
  }

  const json::object& object_;
  std::string entity_;
  Status status_;
};

void read_hash_input(Reader& reader, const char* name, HashInput& out) {
  reader.read(name,
              {{"none", HashInput::kNone},
               {"consumer", HashInput::kConsumer},
               {"ip", HashInput::kIp},
               {"header", HashInput::kHeader},
               {"cookie", HashInput::kCookie},
               {"path", HashInput::kPath},
               {"query_arg", HashInput::kQueryArg},
               {"uri_capture", HashInput::kUriCapture}},
              out);
}

void read_healthcheck(Reader& record, Healthcheck& out) {
  using Type = Healthcheck::Type;
  record.read("type",
              {{"tcp", Type::kTcp},
               {"http", Type::kHttp},
               {"https", Type::kHttps},
               {"grpc", Type::kGrpc},
               {"grpcs", Type::kGrpcs}},
              out.type);
  record.read_record("healthy", [&](Reader& healthy) {
    healthy.read("successes", out.successes);
    healthy.read("http_statuses", out.healthy_statuses);
  });
  record.read_record("unhealthy", [&](Reader& unhealthy) {
    unhealthy.read("tcp_failures", out.tcp_failures);
    unhealthy.read("http_failures", out.http_failures);
    unhealthy.read("timeouts", out.timeouts);
    unhealthy.read("http_statuses", out.unhealthy_statuses);
  });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Service> service_from_json(const json::object& object) {
  Service service;
  Reader reader(object, "service");
  reader.read("id", service.id);
  reader.read("name", service.name);
  reader.read("enabled", service.enabled);
  reader.read("protocol", service.protocol);
  reader.read("host", service.host);
  reader.read("path", service.path);
  reader.read("port", service.port);
  reader.read("retries", service.retries);
  reader.read("connect_timeout", service.connect_timeout_ms);
  reader.read("write_timeout", service.write_timeout_ms);
  reader.read("read_timeout", service.read_timeout_ms);
  reader.read("tls_verify", service.tls_verify);
  reader.read("tls_verify_depth", service.tls_verify_depth);
  reader.read_reference("client_certificate", service.client_certificate_id);
  reader.read("ca_certificates", service.ca_certificates);
  if (!reader.status()) return reader.error();
  return service;
}

Result<Route> route_from_json(const json::object& object) {
  Route route;
  std::string path_handling;
  Reader reader(object, "route");
  reader.read("id", route.id);
  reader.read("name", route.name);
  reader.read_reference("service", route.service_id);
  reader.read("protocols", route.protocols);
  reader.read("methods", route.methods);
  reader.read("hosts", route.hosts);
  reader.read("paths", route.paths);
  reader.read("snis", route.snis);
  reader.read_headers("headers", route.headers);
  reader.read("sources", route.sources);
  reader.read("destinations", route.destinations);
  reader.read("regex_priority", route.regex_priority);
  reader.read("created_at", route.created_at);
  reader.read("https_redirect_status_code", route.https_redirect_status_code);
  reader.read("strip_path", route.strip_path);
  reader.read("preserve_host", route.preserve_host);
  reader.read("request_buffering", route.request_buffering);
  reader.read("response_buffering", route.response_buffering);
  reader.read("path_handling", path_handling);
  route.path_handling_v1 = path_handling == "v1";
  if (!reader.status()) return reader.error();
  return route;
}

Result<Plugin> plugin_from_json(const json::object& object) {
  Plugin plugin;
  Reader reader(object, "plugin");
  reader.read("id", plugin.id);
  reader.read("name", plugin.name);
  reader.read_reference("service", plugin.service_id);
  reader.read_reference("route", plugin.route_id);
  reader.read_reference("consumer", plugin.consumer_id);
  reader.read("protocols", plugin.protocols);
  reader.read("enabled", plugin.enabled);
  reader.read("config", plugin.config);
  reader.read(kStoredConfig, plugin.config_with_references);
  if (!reader.status()) return reader.error();
  return plugin;
}

Result<Consumer> consumer_from_json(const json::object& object) {
  Consumer consumer;
  Reader reader(object, "consumer");
  reader.read("id", consumer.id);
  reader.read("username", consumer.username);
  reader.read("custom_id", consumer.custom_id);
  if (!reader.status()) return reader.error();
  return consumer;
}

Result<Upstream> upstream_from_json(const json::object& object) {
  Upstream upstream;
  Reader reader(object, "upstream");
  reader.read("id", upstream.id);
  reader.read("name", upstream.name);
  reader.read("algorithm",
              {{"round-robin", Upstream::Algorithm::kRoundRobin},
               {"consistent-hashing", Upstream::Algorithm::kConsistentHashing},
               {"least-connections", Upstream::Algorithm::kLeastConnections},
               {"latency", Upstream::Algorithm::kLatency}},
              upstream.algorithm);
  read_hash_input(reader, "hash_on", upstream.hash_on);
  read_hash_input(reader, "hash_fallback", upstream.hash_fallback);
  reader.read("hash_on_header", upstream.hash_on_header);
  reader.read("hash_fallback_header", upstream.hash_fallback_header);
  reader.read("hash_on_cookie", upstream.hash_on_cookie);
  reader.read("hash_on_cookie_path", upstream.hash_on_cookie_path);
  reader.read("hash_on_query_arg", upstream.hash_on_query_arg);
  reader.read("hash_fallback_query_arg", upstream.hash_fallback_query_arg);
  reader.read("hash_on_uri_capture", upstream.hash_on_uri_capture);
  reader.read("hash_fallback_uri_capture", upstream.hash_fallback_uri_capture);
  reader.read("slots", upstream.slots);
  reader.read("host_header", upstream.host_header);
  reader.read_reference("client_certificate", upstream.client_certificate_id);
  reader.read("use_srv_name", upstream.use_srv_name);
  reader.read_record("healthchecks", [&](Reader& checks) {
    checks.read("threshold", upstream.health_threshold);
    checks.read_record("passive", [&](Reader& record) { read_healthcheck(record, upstream.passive); });
    checks.read_record("active", [&](Reader& record) {
      ActiveHealthcheck& active = upstream.active;
      read_healthcheck(record, active);
      record.read("timeout", active.timeout_s);
      record.read("concurrency", active.concurrency);
      record.read("http_path", active.http_path);
      record.read("https_sni", active.https_sni);
      record.read("https_verify_certificate", active.https_verify_certificate);
      record.read_headers("headers", active.headers);
      record.read_record("healthy", [&](Reader& healthy) { healthy.read("interval", active.healthy_interval_s); });
      record.read_record("unhealthy",
                         [&](Reader& unhealthy) { unhealthy.read("interval", active.unhealthy_interval_s); });
    });
  });
  if (!reader.status()) return reader.error();
  return upstream;
}

Result<Target> target_from_json(const json::object& object) {
  Target target;
  Reader reader(object, "target");
  reader.read("id", target.id);
  reader.read_reference("upstream", target.upstream_id);
  reader.read("target", target.target);
  reader.read("weight", target.weight);
  reader.read("created_at", target.created_at);
  if (!reader.status()) return reader.error();
  return target;
}

Result<Certificate> certificate_from_json(const json::object& object) {
  Certificate certificate;
  Reader reader(object, "certificate");
  reader.read("id", certificate.id);
  reader.read("cert", certificate.cert);
  reader.read("key", certificate.key);
  reader.read("cert_alt", certificate.cert_alt);
  reader.read("key_alt", certificate.key_alt);
  if (!reader.status()) return reader.error();
  return certificate;
}

Result<Sni> sni_from_json(const json::object& object) {
  Sni sni;
  Reader reader(object, "sni");
  reader.read("id", sni.id);
  reader.read("name", sni.name);
  reader.read_reference("certificate", sni.certificate_id);
  if (!reader.status()) return reader.error();
  return sni;
}

Result<CaCertificate> ca_certificate_from_json(const json::object& object) {
  CaCertificate certificate;
  Reader reader(object, "ca_certificate");
  reader.read("id", certificate.id);
  reader.read("cert", certificate.cert);
  reader.read("cert_digest", certificate.digest);
  if (!reader.status()) return reader.error();
  return certificate;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return {};
  Uuid uuid{};
  std::size_t filled = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return {};
      ++i;
      continue;
    }
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return {};
    uuid[filled++] = static_cast<std::uint8_t>(high * 16 + low);
    i += 2;
  }
  return uuid;
}

}  // namespace gibbon::config
