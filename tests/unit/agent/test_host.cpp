#include "test_host.hpp"

#include "base/json_text.hpp"

namespace gibbon::agent::test {
namespace {

using namespace gibbon::fields;

struct NoConfig {
  explicit NoConfig(const ConfigView&) {}
};
template <int kPriority>
struct Handler {
  static constexpr int PRIORITY = kPriority;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
};

Schema logger_schema() {
  return record({
      {"log_endpoint", string().default_value("http://localhost:3000/logs")},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"log_request_body", boolean().default_value(true)},
      {"log_response_body", boolean().default_value(true)},
      {"max_body_size", number().default_value(1024)},
  });
}

Schema queue_schema() {
  return record({
      {"max_batch_size", integer().default_value(1).between(1, 1000000)},
      {"max_coalescing_delay", number().default_value(1).between(0, 3600)},
      {"max_entries", integer().default_value(10000).between(1, 1000000)},
      {"max_bytes", integer()},
      {"max_retry_time", number().default_value(60)},
      {"initial_retry_delay", number().default_value(Literal(0.01)).between(0.001, 1000000)},
      {"max_retry_delay", number().default_value(60).between(0.001, 1000000)},
      {"concurrency_limit", integer().default_value(1).one_of({std::int64_t{-1}, std::int64_t{1}})},
  });
}

Schema http_log_schema() {
  return record({
      {"http_endpoint", string().required().url()},
      {"method", string().default_value("POST").one_of({"POST", "PUT", "PATCH"})},
      {"content_type", string()
                           .default_value("application/json")
                           .one_of({"application/json", "application/json; charset=utf-8"})},
      {"timeout", number().default_value(10000)},
      {"keepalive", number().default_value(60000)},
      {"retry_count", integer()},
      {"queue_size", integer()},
      {"flush_timeout", number()},
      {"headers", map(string(), string())},
      {"queue", queue_schema().required()},
      {"custom_fields_by_lua", map(string(), string())},
  });
}

Schema correlation_schema() {
  return record({
      {"header_name", string().default_value("Kong-Request-ID")},
      {"generator",
       string().default_value("uuid#counter").one_of({"uuid", "uuid#counter", "tracker"}).required()},
      {"echo_downstream", boolean().default_value(false).required()},
  });
}

}  // namespace

std::shared_ptr<const plugin::Registry> test_plugins() {
  static const PluginDescriptor logger =
      gibbon::detail::describe<Handler<1000>, NoConfig>("request-response-logger", logger_schema);
  static const PluginDescriptor http_log =
      gibbon::detail::describe<Handler<12>, NoConfig>("http-log", http_log_schema);
  static const PluginDescriptor correlation =
      gibbon::detail::describe<Handler<100001>, NoConfig>("correlation-id", correlation_schema);
  return std::make_shared<plugin::Registry>(plugin::Registry::of({&logger, &http_log, &correlation}));
}

std::unique_ptr<TestHost> TestHost::with_database() {
  auto host = std::make_unique<TestHost>(nullptr);
  auto store = SqliteStore::open(host->folder_.file("gibbon.db"), Collections::core());
  if (!store.ok()) throw std::runtime_error(store.error().message);
  host->store_ = std::move(*store);
  auto settings = std::make_shared<Settings>();
  settings->headers = {"server_tokens", "latency_tokens", "x-kong-request-id"};
  host->settings_ = settings;
  return host;
}

std::unique_ptr<TestHost> TestHost::without_database() {
  return std::make_unique<TestHost>(std::make_unique<DeclarativeStore>(Collections::core()));
}

Declarative TestHost::replace_configuration(json::object document, const std::string& text, ErrorShape shape) {
  auto loaded = load_declarative(std::move(document), *catalog_, shape);
  if (loaded.ok()) {
    hash_ = configuration_hash(text);
    EXPECT_TRUE(dynamic_cast<DeclarativeStore&>(*store_).replace(loaded.image).ok());
  }
  return loaded;
}

std::string Answer::header(std::string_view name) const {
  for (const auto& header : headers)
    if (header.name == name) return header.value;
  return "";
}

Answer Client::send(const std::string& method, const std::string& target, const std::string& body,
                    const std::string& content_type) const {
  http::Request request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  if (const auto mark = target.find('?'); mark != std::string::npos) request.query = target.substr(mark + 1);
  if (!content_type.empty()) request.headers.push_back({"Content-Type", content_type});
  request.body = body;
  auto response = api_.handle(request);
  Answer answer{response.status, std::move(response.headers), std::move(response.body), nullptr};
  boost::system::error_code ignored;
  answer.body = json::parse(answer.text, ignored);
  return answer;
}

Answer Client::json(const std::string& method, const std::string& target, const json::value& body) const {
  return send(method, target, to_text(body), "application/json");
}

json::value without_times(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object result;
    for (const auto& [key, member] : *object)
      result[key] = (key == "created_at" || key == "updated_at") && member.is_number()
                        ? json::value("<time>")
                        : without_times(member);
    return result;
  }
  if (const auto* array = value.if_array()) {
    json::array result;
    for (const auto& element : *array) result.push_back(without_times(element));
    return result;
  }
  return value;
}

}  // namespace gibbon::agent::test
