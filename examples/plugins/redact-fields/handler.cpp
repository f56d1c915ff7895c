#include <string>
#include <vector>

#include "gibbon/json.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema redact_fields_schema();

namespace {

constexpr std::size_t kBodyBytes = 4096;

struct Config {
  explicit Config(const gibbon::ConfigView& view)
      : endpoint(view.string("log_endpoint")), names(view.strings("names")), body_fields(view.strings("body_fields")) {}
  std::string endpoint;
  std::vector<std::string> names, body_fields;
};

struct Handler {
  static constexpr int PRIORITY = 12;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;

  /// Headers and arguments of these names are "[REDACTED]" before the record leaves the worker.
  static std::vector<std::string> secrets(const Config& config) { return config.names; }

  /// To know the fields of a body it must be read; without such fields it streams.
  static bool reads_body(const Config& config) { return !config.body_fields.empty(); }

  static void access(gibbon::Exchange& exchange, const Config& config) {
    exchange.request().capture_body(kBodyBytes);
    for (const std::string& field : config.body_fields) exchange.request().hide_body_field(field);
  }

  static void log(gibbon::Exchange& exchange, const Config&) { exchange.record({.request_body_bytes = kBodyBytes}); }

  // From here on in the agent.
  static gibbon::Destination destination(const Config& config) { return {.url = config.endpoint}; }

  static void encode(const gibbon::ExchangeRecord& record, const Config&, std::string& out) {
    out += "{\"target\":";
    gibbon::append_json_string(out, record.target);
    out += ",\"headers\":{";
    const char* comma = "";
    for (const gibbon::Header& header : record.request_headers) {
      out += comma;
      gibbon::append_json_string(out, header.name);
      out += ':';
      gibbon::append_json_string(out, header.value);
      comma = ",";
    }
    out += "},\"body\":";
    gibbon::append_json_string(out, record.request_body.bytes);
    out += '}';
  }
};

}  // namespace

GIBBON_PLUGIN("redact-fields", Handler, Config, redact_fields_schema)
