#include <memory>
#include <stdexcept>

#include "base/ascii.hpp"
#include "base/json.hpp"
#include "base/uuid.hpp"
#include "config/entity_schemas.hpp"
#include "gibbon/testing.hpp"
#include "plugin/registry.hpp"
#include "schema/metaschema.hpp"
#include "schema/validate.hpp"
#include "testing/world.hpp"

namespace gibbon::testing {
namespace {

std::string_view find_header(const HeaderList& headers, std::string_view name) {
  const std::string lower = ascii_lower(name);
  for (const auto& [key, value] : headers)
    if (equals_lower(key, lower)) return value;
  return {};
}

bool has(const HeaderList& headers, std::string_view name) {
  const std::string lower = ascii_lower(name);
  for (const auto& [key, value] : headers)
    if (equals_lower(key, lower)) return true;
  return false;
}

/// The configuration as the Admin API would store it.
json::object checked_config(const PluginDescriptor& plugin, std::string_view text) {
  boost::system::error_code failed;
  const json::value given = json::parse(text, failed);
  if (failed) throw std::invalid_argument("the configuration is no JSON: " + failed.message());
  const Schema config = plugin.schema();
  for (const std::string& mistake : schema::mistakes_in(config))
    throw std::invalid_argument("plugin '" + std::string(plugin.name) + "' has mistakes in its schema: " + mistake);
  const Schema entity = config::plugin_entity_schema(config);
  auto checked = schema::check_insert(entity, {{"name", plugin.name}, {"config", given}});
  if (!checked.ok()) throw std::invalid_argument(checked.violations.message());
  return checked.entity["config"].as_object();
}

}  // namespace

std::string_view UpstreamRequest::header(std::string_view name) const { return find_header(headers, name); }
bool UpstreamRequest::has_header(std::string_view name) const { return has(headers, name); }
std::string_view Answer::header(std::string_view name) const { return find_header(headers, name); }
bool Answer::has_header(std::string_view name) const { return has(headers, name); }

struct Gateway::Impl {
  Impl(const PluginDescriptor& plugin, std::string_view text) : world(plugin) {
    const json::object checked = checked_config(plugin, text);
    config_text = json::serialize(checked);
    auto made = plugin::ConfigObject::make(plugin, checked);
    if (!made) throw std::invalid_argument(made.error().message);
    config = std::make_unique<plugin::ConfigObject>(std::move(*made));
    world.config = config->get();
  }
  World world;
  std::string config_text;
  std::unique_ptr<plugin::ConfigObject> config;
};

Gateway::Gateway(const PluginDescriptor& plugin, std::string_view config) : impl_(std::make_unique<Impl>(plugin, config)) {
  World& world = impl_->world;
  world.guarded(Phase::kInitWorker, [&] {
    if (plugin.init_worker == nullptr) return;
    TestBackground background(world, Phase::kInitWorker);
    world.clock.finish(plugin.init_worker(background));
  });
  world.guarded(Phase::kConfigure, [&] {
    if (plugin.configure == nullptr) return;
    TestBackground background(world, Phase::kConfigure);
    plugin.configure(background, std::span<const void* const>(&world.config, 1));
  });
}

Gateway::~Gateway() = default;

Answer Gateway::send(const ClientRequest& request) {
  Answer answer = run_exchange(impl_->world, request);
  return answer;
}

void Gateway::upstream(Upstream answer) { impl_->world.upstream = std::move(answer); }
void Gateway::http(Http answer) { impl_->world.http = std::move(answer); }
void Gateway::resolve(Resolve answer) { impl_->world.resolve = std::move(answer); }
void Gateway::connect(Connect answer) { impl_->world.connect = std::move(answer); }

void Gateway::add_consumer(const TestConsumer& consumer) {
  StoredConsumer& stored = impl_->world.consumers.emplace_back(StoredConsumer{consumer, {}});
  if (stored.texts.id.empty()) stored.texts.id = uuid_v4();
  stored.view = {stored.texts.id, stored.texts.username, stored.texts.custom_id};
}

void Gateway::add_entity(std::string collection, std::string key, HeaderList fields, std::string consumer_username) {
  World& world = impl_->world;
  const Consumer* consumer = nullptr;
  for (const StoredConsumer& known : world.consumers)
    if (known.texts.username == consumer_username) consumer = &known.view;
  if (consumer == nullptr && !consumer_username.empty())
    throw std::invalid_argument("there is no consumer " + consumer_username);
  StoredEntity& stored = world.entities.emplace_back();
  stored.collection = std::move(collection);
  stored.key = std::move(key);
  stored.id = uuid_v4();
  for (auto& [name, value] : fields) {
    const std::string& kept_name = stored.texts.emplace_back(std::move(name));
    stored.fields.emplace_back(kept_name, stored.texts.emplace_back(std::move(value)));
  }
  stored.view = {stored.id, consumer, stored.fields};
}

void Gateway::route(std::string name, std::string service_name) {
  impl_->world.route_name = std::move(name);
  impl_->world.service_name = std::move(service_name);
}

std::int64_t Gateway::now_ms() const { return impl_->world.clock.now_ms; }
void Gateway::advance(std::chrono::milliseconds time) {
  impl_->world.run_tasks_until(impl_->world.clock.now_ms + time.count());
}
std::size_t Gateway::waiting_tasks() const { return impl_->world.tasks.size(); }
std::int64_t Gateway::counter(std::string_view key) const { return impl_->world.get(key); }
double Gateway::metric(std::string_view family, const std::vector<std::string>& labels) const {
  return impl_->world.figure(family, labels).sum;
}
std::uint64_t Gateway::metric_count(std::string_view family, const std::vector<std::string>& labels) const {
  return impl_->world.figure(family, labels).count;
}
const std::vector<LogLine>& Gateway::log() const { return impl_->world.lines; }
bool Gateway::logged(std::string_view text) const {
  for (const LogLine& line : impl_->world.lines)
    if (line.text.find(text) != std::string::npos) return true;
  return false;
}
const std::vector<std::string>& Gateway::entries() const { return impl_->world.entries; }
Destination Gateway::destination() const {
  const PluginDescriptor& plugin = impl_->world.plugin;
  if (plugin.destination == nullptr) throw std::logic_error("the plugin has no destination()");
  return plugin.destination(impl_->world.config);
}
const std::string& Gateway::config() const { return impl_->config_text; }

}  // namespace gibbon::testing
