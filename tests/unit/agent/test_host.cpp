#include "test_host.hpp"

#include "../support/plugin_rows.hpp"
#include "base/json_text.hpp"

namespace gibbon::agent::test {
namespace {

struct NoConfig {
  explicit NoConfig(const ConfigView&) {}
};
template <int kPriority>
struct Handler {
  static constexpr int PRIORITY = kPriority;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
};

/// The rows of a plugin as an author would write them.
constexpr const char kLogger[] = "request-response-logger", kHttpLog[] = "http-log",
                     kCorrelation[] = "correlation-id", kRateLimiting[] = "rate-limiting";
template <const char* kName>
Schema rows() {
  return gibbon::test::plugin_rows().at(kName);
}

}  // namespace

std::shared_ptr<const plugin::Registry> test_plugins() {
  static const PluginDescriptor plugins[] = {
      gibbon::detail::describe<Handler<1000>, NoConfig>(kLogger, rows<kLogger>),
      gibbon::detail::describe<Handler<12>, NoConfig>(kHttpLog, rows<kHttpLog>),
      gibbon::detail::describe<Handler<100001>, NoConfig>(kCorrelation, rows<kCorrelation>),
      gibbon::detail::describe<Handler<910>, NoConfig>(kRateLimiting, rows<kRateLimiting>),
  };
  return std::make_shared<plugin::Registry>(
      plugin::Registry::of({&plugins[0], &plugins[1], &plugins[2], &plugins[3]}));
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

std::unique_ptr<TestHost> TestHost::with_built_plugins(const std::vector<std::string>& names) {
  auto plugins = plugin::Registry::load(names, {GIBBON_BUILD_DIR "/lib/gibbon/plugins"});
  if (!plugins.ok()) throw std::runtime_error(plugins.error().message);
  auto host = with_database();
  host->catalog_ = std::make_shared<Catalog>(std::make_shared<const plugin::Registry>(std::move(*plugins)));
  if (auto adopted = host->store_->adopt(host->catalog_->shared_collections()); !adopted.ok())
    throw std::runtime_error(adopted.error().message);
  return host;
}

std::unique_ptr<TestHost> TestHost::without_database() {
  return std::make_unique<TestHost>(std::make_unique<DeclarativeStore>(Collections::core()));
}

Declarative TestHost::replace_configuration(json::object document, const std::string& text,
                                            ErrorShape shape) {
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
