#include <string>

#include "gibbon/log_record.hpp"
#include "gibbon/plugin.hpp"

/// Sets fields of log records, and queues entries of its own, in every phase that has an exchange.
namespace {

using namespace gibbon;

Schema kit_entries_schema() { return fields::record({{"endpoint", fields::string().required()}}); }

struct Config {
  explicit Config(const ConfigView& view) {
    to.url = view.string("endpoint");
    to.queue = Queue{};
  }
  Destination to;
};

void leave_word(Exchange& exchange, const char* phase) {
  std::string json;
  append_json_string(json, phase);
  exchange.set_serialize_value(std::string("seen.") + phase, json);
  exchange.enqueue(std::string(phase) + " " + std::string(exchange.request().header("x-rid")));
}

struct Handler {
  static constexpr int PRIORITY = 2000;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
  static void rewrite(Exchange& exchange, const Config&) { leave_word(exchange, "rewrite"); }
  static void access(Exchange& exchange, const Config&) { leave_word(exchange, "access"); }
  static void header_filter(Exchange& exchange, const Config&) { leave_word(exchange, "header_filter"); }
  static void log(Exchange& exchange, const Config&) {
    leave_word(exchange, "log");
    exchange.set_serialize_value("response.size", {});
  }
  static Destination destination(const Config& config) { return config.to; }
  static void encode_entry(std::string_view entry, const Config&, std::string& out) {
    const std::size_t space = entry.find(' ');
    out += "{\"phase\":";
    append_json_string(out, entry.substr(0, space));
    out += ",\"rid\":";
    append_json_string(out, entry.substr(space + 1));
    out += '}';
  }
};

}  // namespace

GIBBON_PLUGIN("kit-entries", Handler, Config, kit_entries_schema)
