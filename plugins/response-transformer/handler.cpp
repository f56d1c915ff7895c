#include <optional>
#include <string>

#include "gibbon/plugin.hpp"
#include "transform.hpp"

gibbon::Schema response_transformer_schema();

namespace {

using namespace gibbon;
namespace tf = transformers;

struct Config {
  explicit Config(const ConfigView& view) {
    const auto remove = view.record("remove"), rename = view.record("rename"), replace = view.record("replace"),
               add = view.record("add"), append = view.record("append");
    headers = {tf::split_pairs(remove->strings("headers")), tf::split_pairs(rename->strings("headers")),
               tf::split_pairs(replace->strings("headers")), tf::split_pairs(add->strings("headers")),
               tf::split_pairs(append->strings("headers"))};
    json = {tf::split_pairs(remove->strings("json")), tf::split_pairs(rename->strings("json")), values(*replace),
            values(*add), values(*append)};
  }

  tf::HeaderRules headers;
  tf::JsonRules json;

 private:
  static std::vector<tf::JsonRule> values(const ConfigView& view) {
    return tf::json_rules(view.strings("json"), view.strings("json_types"));
  }
};

struct Handler {
  static constexpr int PRIORITY = 800;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void header_filter(Exchange& exchange, const Config& config) {
    Response& response = exchange.response();
    tf::HeaderPairs headers;
    const auto load = [&headers](std::string_view name, std::string_view value) { headers.emplace_back(name, value); };
    response.each_header(load);
    for (const tf::HeaderStep& step : tf::header_steps(config.headers, headers)) {
      switch (step.kind) {
        case tf::HeaderStep::Kind::kClear: response.clear_header(step.name); break;
        case tf::HeaderStep::Kind::kSet: response.set_header(step.name, step.value); break;
        case tf::HeaderStep::Kind::kAdd: response.add_header(step.name, step.value); break;
      }
    }
    if (config.json.empty() || !tf::is_json_type(response.header("content-type"))) return;
    response.hold_body();
    exchange.ctx().plugin<Held>().body = true;
  }

  static void body_filter(Exchange& exchange, BodyChunk& chunk, const Config& config) {
    const Held* held = exchange.ctx().find_plugin<Held>();
    if (held == nullptr || !held->body || !chunk.last) return;
    if (const std::optional<std::string> changed = tf::transform_json(config.json, chunk.bytes)) chunk.replace(*changed);
    else exchange.log().warn("body transform failed: failed parsing json body");
  }

 private:
  /// Whether this answer's body is changed.
  struct Held {
    bool body = false;
  };
};

}  // namespace

GIBBON_PLUGIN("response-transformer", Handler, Config, response_transformer_schema)
