#include <string>

#include "gibbon/custom_fields.hpp"
#include "gibbon/plugin.hpp"

gibbon::Schema file_log_schema();

namespace {

using namespace gibbon;

struct Config {
  explicit Config(const ConfigView& view) : custom_fields(view) {
    to.kind = Destination::Kind::kFile;
    to.url = view.string("path");
    to.reopen = view.boolean("reopen", false);
  }

  Destination to;
  CustomFields custom_fields;
};

struct Handler {
  static constexpr int PRIORITY = 9;
  static constexpr const char* VERSION = "3.9.3";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;

  static void log(Exchange& exchange, const Config&) { exchange.record({}); }

  static Destination destination(const Config& config) { return config.to; }

  static void encode(const ExchangeRecord& record, const Config& config, std::string& out) {
    config.custom_fields.append_record(record, out);
  }
};

}  // namespace

GIBBON_PLUGIN("file-log", Handler, Config, file_log_schema)
