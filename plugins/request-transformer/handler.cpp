#include <optional>
#include <string>

#include "gibbon/plugin.hpp"
#include "transform.hpp"

gibbon::Schema request_transformer_schema();

namespace {

using namespace gibbon;
namespace tf = transformers;

struct Config {
  explicit Config(const ConfigView& view) : http_method(view.string("http_method")) {
    read(view, "remove", &tf::Changes::remove);
    read(view, "rename", &tf::Changes::rename);
    read(view, "replace", &tf::Changes::replace);
    read(view, "add", &tf::Changes::add);
    read(view, "append", &tf::Changes::append);
    uri = tf::Template(view.record("replace")->string("uri"));
  }

  std::string http_method;
  tf::Template uri;
  tf::Changes headers, query, body;

  /// Whether a form's fields move into the query.
  [[nodiscard]] bool moves_form() const {
    return http_method == "GET" || http_method == "HEAD" || http_method == "TRACE";
  }

 private:
  void read(const ConfigView& view, const char* what, tf::Rules tf::Changes::*rules) {
    const auto record = view.record(what);
    headers.*rules = tf::make_rules(record->strings("headers"));
    query.*rules = tf::make_rules(record->strings("querystring"));
    body.*rules = tf::make_rules(record->strings("body"));
  }
};

tf::Value as_value(const std::vector<std::string>& values) {
  if (values.empty()) return {};
  if (values.size() == 1) return {values.front()};
  std::vector<tf::Value> list;
  for (const std::string& value : values) list.push_back({value});
  return {std::make_shared<const std::vector<tf::Value>>(std::move(list))};
}

tf::Value as_value(const tf::Arguments::Values& values) {
  std::vector<tf::Value> list;
  for (const auto& value : values) list.push_back(value ? tf::Value{*value} : tf::Value{true});
  if (list.size() == 1) return list.front();
  return {std::make_shared<const std::vector<tf::Value>>(std::move(list))};
}

/// A request as templates see it: headers and query as they are when a template first asks for them.
class RequestEnvironment final : public tf::Environment {
 public:
  explicit RequestEnvironment(Exchange& exchange) : exchange_(exchange) {}

  tf::Value find(tf::Root root, std::string_view name) override {
    switch (root) {
      case tf::Root::kHeaders: return header(name);
      case tf::Root::kQuery: {
        const tf::Arguments::Values* values = query().find(name);
        return values == nullptr ? tf::Value{} : as_value(*values);
      }
      case tf::Root::kCaptures: {
        const std::string_view text = exchange_.request().uri_capture(name);
        return text.empty() ? tf::Value{} : tf::Value{std::string(text)};
      }
      case tf::Root::kShared: return shared(name);
    }
    return {};
  }

  const tf::Arguments& query() {
    if (!query_) query_.emplace(exchange_.service_request().query());
    return *query_;
  }

 private:
  tf::Value header(std::string_view name) {
    if (!headers_) {
      headers_.emplace();
      const auto load = [this](std::string_view n, std::string_view v) { headers_->load(n, v); };
      exchange_.service_request().each_header(load);
    }
    if (const tf::Headers::Header* found = headers_->find(name)) return as_value(found->values);
    const bool host = name.size() == 4 && (name == "host" || name == "Host");
    const std::string_view value = host ? exchange_.request().header("host") : std::string_view();
    return value.empty() ? tf::Value{} : tf::Value{std::string(value)};
  }

  /// Texts alone; what is of another type is not seen.
  tf::Value shared(std::string_view name) {
    try {
      const std::string* text = exchange_.ctx().find_shared<std::string>(name);
      return text == nullptr ? tf::Value{} : tf::Value{*text};
    } catch (const std::logic_error&) {
      return {};
    }
  }

  Exchange& exchange_;
  std::optional<tf::Headers> headers_;
  std::optional<tf::Arguments> query_;
};

void transform_uri(Exchange& exchange, const tf::Template& uri, tf::Environment& environment) {
  if (uri.empty()) return;
  std::string path;
  try {
    path = uri.render(environment);
  } catch (const tf::RenderError& e) {
    throw tf::RenderError("[request-transformer] failed to render the template " + uri.source() + ", error:" + e.what());
  }
  if (!path.starts_with('/')) throw tf::RenderError("path must start with /");
  exchange.service_request().set_path(path);
}

void transform_method(Exchange& exchange, const Config& config) {
  if (config.http_method.empty()) return;
  ServiceRequest& request = exchange.service_request();
  request.set_method(config.http_method);
  if (!config.moves_form() || tf::body_kind(request.header("content-type")) != tf::BodyKind::kForm) return;
  const tf::Arguments form(request.body().bytes);
  if (form.empty()) return;
  tf::Arguments query(request.query());
  query.merge(form);
  request.set_query(query.sorted());
}

void transform_headers(ServiceRequest& request, const tf::Changes& changes, tf::Environment& environment) {
  if (changes.empty()) return;
  tf::Headers headers;
  const auto load = [&headers](std::string_view name, std::string_view value) { headers.load(name, value); };
  request.each_header(load);
  tf::transform_headers(changes, environment, headers);
  for (const std::string& name : headers.removed()) request.clear_header(name);
  for (const tf::Headers::Header& header : headers.all()) {
    if (!header.changed) continue;
    request.set_header(header.name, header.values.front());
    for (std::size_t i = 1; i < header.values.size(); ++i) request.add_header(header.name, header.values[i]);
  }
}

void transform_body(Exchange& exchange, const tf::Changes& changes, tf::Environment& environment) {
  ServiceRequest& request = exchange.service_request();
  const std::string type(request.header("content-type"));
  if (changes.empty() || tf::body_kind(type) == tf::BodyKind::kOther) return;
  const Body body = request.body();
  if (body.on_disk) {
    exchange.log().warn("request body did not fit into client body buffer, consider raising 'client_body_buffer_size'");
    return;
  }
  if (const auto changed = tf::transform_body(changes, environment, type, body.bytes)) request.set_body(*changed);
}

struct Handler {
  static constexpr int PRIORITY = 801;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static bool reads_body(const Config& config) { return !config.body.empty() || config.moves_form(); }

  static void access(Exchange& exchange, const Config& config) {
    RequestEnvironment environment(exchange);
    transform_uri(exchange, config.uri, environment);
    transform_method(exchange, config);
    transform_headers(exchange.service_request(), config.headers, environment);
    transform_body(exchange, config.body, environment);
    if (config.query.empty()) return;
    tf::Arguments query = environment.query();
    tf::transform_query(config.query, environment, query);
    exchange.service_request().set_query(query.sorted());
  }
};

}  // namespace

GIBBON_PLUGIN("request-transformer", Handler, Config, request_transformer_schema)
