#include "gibbon/plugin.hpp"

/// Does nothing, in every phase: what the kit itself costs.
namespace {

using namespace gibbon;

Schema noop_schema() { return fields::record({}); }

struct Config {
  explicit Config(const ConfigView&) {}
};

struct Handler {
  static constexpr int PRIORITY = 500;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;
  static void init_worker(Background&) {}
  static void configure(Background&, std::span<const Config* const>) {}
  static void certificate(Handshake&, const Config&) {}
  static void rewrite(Exchange&, const Config&) {}
  static void access(Exchange&, const Config&) {}
  static void header_filter(Exchange&, const Config&) {}
  static void body_filter(Exchange&, BodyChunk&, const Config&) {}
  static void log(Exchange&, const Config&) {}
};

}  // namespace

GIBBON_PLUGIN("noop", Handler, Config, noop_schema)
