#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gibbon/config_view.hpp"
#include "gibbon/delivery.hpp"
#include "gibbon/entity.hpp"
#include "gibbon/exchange.hpp"
#include "gibbon/schema.hpp"

/// What a plugin is to the host. A plugin is two files, schema.cpp and handler.cpp:
///
///     // schema.cpp
///     gibbon::Schema request_counter_schema() { return gibbon::fields::record({...}); }
///
///     // handler.cpp
///     struct Config { explicit Config(const gibbon::ConfigView& view); ... };
///     struct Handler {
///       static constexpr int PRIORITY = 1000;             // higher runs earlier
///       static constexpr const char* VERSION = "1.0.0";
///       static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;
///       static void access(gibbon::Exchange&, const Config&);   // a method per phase that it wants
///       static void log(gibbon::Exchange&, const Config&);
///     };
///     GIBBON_PLUGIN("request-counter", Handler, Config, request_counter_schema)
///
/// A handler without a method costs nothing in that phase. All methods are static:
///
///   void init_worker(Background&)                        each worker, once, before its first request; also Task<>
///   void configure(Background&, std::span<const Config* const>)
///                                                        each worker, with every new generation of the configuration:
///                                                        all enabled configurations of the plugin, or none; valid
///                                                        until the next configure() has returned
///   void certificate(Handshake&, const Config&)          TLS handshakes; global configurations only
///   void rewrite(Exchange&, const Config&)               global configurations only; also Task<>
///   void access(Exchange&, const Config&)                also Task<>
///   void response(Exchange&, const Config&)              the upstream's answer is held as a whole; also Task<>. Not
///                                                        beside header_filter and body_filter
///   void header_filter(Exchange&, const Config&)
///   void body_filter(Exchange&, BodyChunk&, const Config&)
///   void log(Exchange&, const Config&)
///
/// Task<>: the method is a coroutine that may wait (task.hpp, async.hpp).
///
/// What else a handler may have, all static:
///   bool reads_body(const Config&)                       access wants the request's whole body: it is read before.
///   bool reads_body(const Request&, const Config&)       the same, where it depends on the request. Phase: access.
///   std::vector<std::string> secrets(const Config&)      headers and query arguments of these names are secrets: neither
///                                                        records nor the gateway's logs show their values.
///   std::vector<Entity> entities()                       kinds of entities that the plugin brings: credentials.
///   std::vector<MetricFamily> metrics()                  what it counts with Node::metrics().
///
/// Delivery, in the agent, on its delivery thread:
///   Destination destination(const Config&)
///   void encode(const ExchangeRecord&, const Config&, std::string& out)      appends one JSON object: of record()
///   void encode_entry(std::string_view entry, const Config&, std::string& out)      the same, of enqueue()
namespace gibbon {

/// Changes whenever a type of this kit changes its layout. A plugin built for another one is refused.
inline constexpr unsigned kPluginAbiVersion = 5;

/// What the layout of the standard library's types depends on, beside the kit's own. A plugin built otherwise is refused.
inline constexpr const char* kPluginToolchain =
#if defined(_LIBCPP_VERSION)
    "libc++"
#elif defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
    "libstdc++ (C++11 ABI)"
#elif defined(__GLIBCXX__)
    "libstdc++ (old ABI)"
#else
    "an unknown standard library"
#endif
#if defined(_GLIBCXX_DEBUG)
    " with _GLIBCXX_DEBUG"
#endif
    ;

/// What happens to a request whose handler threw: it goes on without the plugin, or it is refused with a 500.
enum class FailurePolicy { kOpen, kClosed };

/// A TLS handshake. Phase: certificate.
class Handshake {
 public:
  /// SNI, in lower case; empty where the client sent none.
  [[nodiscard]] virtual std::string_view server_name() const = 0;
  [[nodiscard]] virtual std::string_view client_ip() const = 0;
  virtual Node& node() = 0;
  virtual Log& log() = 0;

 protected:
  ~Handshake() = default;
};

/// What the host sees of a plugin: functions on an opaque configuration. Made by GIBBON_PLUGIN alone.
struct PluginDescriptor {
  unsigned abi_version;
  const char* toolchain;  ///< kPluginToolchain
  const char* name;
  const char* version;
  int priority;
  FailurePolicy failure_policy;
  Schema (*schema)();
  /// May throw what the constructor of Config throws.
  void* (*make_config)(const ConfigView&);
  void (*free_config)(void*);
  // Each null where the handler has no such method. May throw. A Task that is not empty has not been started.
  Task<> (*init_worker)(Background&);
  void (*configure)(Background&, std::span<const void* const> configs);
  void (*certificate)(Handshake&, const void* config);
  Task<> (*rewrite)(Exchange&, const void* config);
  Task<> (*access)(Exchange&, const void* config);
  Task<> (*response)(Exchange&, const void* config);
  void (*header_filter)(Exchange&, const void* config);
  void (*body_filter)(Exchange&, BodyChunk&, const void* config);
  void (*log)(Exchange&, const void* config);
  Destination (*destination)(const void* config);
  void (*encode)(const ExchangeRecord&, const void* config, std::string& out);
  void (*encode_entry)(std::string_view entry, const void* config, std::string& out);
  bool (*reads_body)(const Request&, const void* config);
  std::vector<std::string> (*secrets)(const void* config);
  std::vector<Entity> (*entities)();
  std::vector<MetricFamily> (*metrics)();
};

/// The symbol that the host looks for in a plugin's shared object.
inline constexpr const char* kPluginEntryPoint = "gibbon_plugin";
using PluginEntryPoint = const PluginDescriptor* (*)();

namespace detail {

/// Calls a method that is a coroutine or a plain function.
template <typename Method>
Task<> run(Method method) {
  if constexpr (std::is_void_v<decltype(method())>) {
    method();
    return {};
  } else {
    return method();
  }
}

// Whether a class has a member of a name, of whatever kind: a second one of that name makes the name ambiguous.
#define GIBBON_DETAIL_MEMBER(member)                       \
  struct Named_##member {                                  \
    int member;                                            \
  };                                                       \
  template <typename T>                                    \
  struct Both_##member : T, Named_##member {};             \
  template <typename T>                                    \
  inline constexpr bool has_##member = !requires { &Both_##member<T>::member; };
GIBBON_DETAIL_MEMBER(PRIORITY)
GIBBON_DETAIL_MEMBER(VERSION)
GIBBON_DETAIL_MEMBER(FAILURE_POLICY)
GIBBON_DETAIL_MEMBER(init_worker)
GIBBON_DETAIL_MEMBER(configure)
GIBBON_DETAIL_MEMBER(certificate)
GIBBON_DETAIL_MEMBER(rewrite)
GIBBON_DETAIL_MEMBER(access)
GIBBON_DETAIL_MEMBER(response)
GIBBON_DETAIL_MEMBER(header_filter)
GIBBON_DETAIL_MEMBER(body_filter)
GIBBON_DETAIL_MEMBER(log)
GIBBON_DETAIL_MEMBER(destination)
GIBBON_DETAIL_MEMBER(encode)
GIBBON_DETAIL_MEMBER(encode_entry)
GIBBON_DETAIL_MEMBER(reads_body)
GIBBON_DETAIL_MEMBER(secrets)
GIBBON_DETAIL_MEMBER(entities)
GIBBON_DETAIL_MEMBER(metrics)
#undef GIBBON_DETAIL_MEMBER

template <typename T>
concept Nothing = std::is_void_v<T>;
template <typename T>
concept NothingOrTask = std::is_void_v<T> || std::is_same_v<T, Task<>>;

/// Says what is wrong with a handler. Without it, a method whose parameters are not those of its phase would be left out
/// in silence.
template <typename Handler, typename Config>
consteval void check_handler() {
  static_assert(std::is_class_v<Handler> && !std::is_final_v<Handler>, "a plugin's Handler must be a struct that is not final");
  static_assert(std::is_constructible_v<Config, const ConfigView&>,
                "a plugin's Config needs a constructor: explicit Config(const gibbon::ConfigView&)");
  static_assert(has_PRIORITY<Handler>,
                "a plugin's Handler needs a priority: static constexpr int PRIORITY = 1000;  (higher runs earlier)");
  static_assert(!has_PRIORITY<Handler> || requires { { Handler::PRIORITY } -> std::convertible_to<int>; },
                "PRIORITY must be: static constexpr int PRIORITY = 1000;");
  static_assert(has_VERSION<Handler>,
                "a plugin's Handler needs a version: static constexpr const char* VERSION = \"1.0.0\";");
  static_assert(!has_VERSION<Handler> || requires { { Handler::VERSION } -> std::convertible_to<const char*>; },
                "VERSION must be: static constexpr const char* VERSION = \"1.0.0\";");
  static_assert(has_FAILURE_POLICY<Handler>,
                "a plugin's Handler must say what happens to a request when it throws: static constexpr auto "
                "FAILURE_POLICY = gibbon::FailurePolicy::kOpen;  (or kClosed)");
  static_assert(!has_FAILURE_POLICY<Handler> || requires { { Handler::FAILURE_POLICY } -> std::convertible_to<FailurePolicy>; },
                "FAILURE_POLICY must be: static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;  (or kClosed)");

  static_assert(!has_init_worker<Handler> || requires(Background& b) { { Handler::init_worker(b) } -> NothingOrTask; },
                "init_worker must be: static void init_worker(gibbon::Background&), or gibbon::Task<>");
  static_assert(!has_configure<Handler> ||
                    requires(Background& b, std::span<const Config* const> c) { { Handler::configure(b, c) } -> Nothing; },
                "configure must be: static void configure(gibbon::Background&, std::span<const Config* const>)");
  static_assert(!has_certificate<Handler> ||
                    requires(Handshake& h, const Config& c) { { Handler::certificate(h, c) } -> Nothing; },
                "certificate must be: static void certificate(gibbon::Handshake&, const Config&)");
  static_assert(!has_rewrite<Handler> ||
                    requires(Exchange& e, const Config& c) { { Handler::rewrite(e, c) } -> NothingOrTask; },
                "rewrite must be: static void rewrite(gibbon::Exchange&, const Config&), or gibbon::Task<>");
  static_assert(!has_access<Handler> ||
                    requires(Exchange& e, const Config& c) { { Handler::access(e, c) } -> NothingOrTask; },
                "access must be: static void access(gibbon::Exchange&, const Config&), or gibbon::Task<>");
  static_assert(!has_response<Handler> ||
                    requires(Exchange& e, const Config& c) { { Handler::response(e, c) } -> NothingOrTask; },
                "response must be: static void response(gibbon::Exchange&, const Config&), or gibbon::Task<>");
  static_assert(!has_header_filter<Handler> ||
                    requires(Exchange& e, const Config& c) { { Handler::header_filter(e, c) } -> Nothing; },
                "header_filter must be: static void header_filter(gibbon::Exchange&, const Config&); it cannot wait");
  static_assert(!has_body_filter<Handler> ||
                    requires(Exchange& e, BodyChunk& b, const Config& c) { { Handler::body_filter(e, b, c) } -> Nothing; },
                "body_filter must be: static void body_filter(gibbon::Exchange&, gibbon::BodyChunk&, const Config&); it "
                "cannot wait");
  static_assert(!has_log<Handler> || requires(Exchange& e, const Config& c) { { Handler::log(e, c) } -> Nothing; },
                "log must be: static void log(gibbon::Exchange&, const Config&); it cannot wait");
  static_assert(!has_response<Handler> || (!has_header_filter<Handler> && !has_body_filter<Handler>),
                "a handler with response cannot have header_filter or body_filter: it holds the whole answer; do their "
                "work in response");

  static_assert(!has_destination<Handler> ||
                    requires(const Config& c) { { Handler::destination(c) } -> std::same_as<Destination>; },
                "destination must be: static gibbon::Destination destination(const Config&)");
  static_assert(!has_encode<Handler> || requires(const ExchangeRecord& r, const Config& c, std::string& o) {
                  { Handler::encode(r, c, o) } -> Nothing; },
                "encode must be: static void encode(const gibbon::ExchangeRecord&, const Config&, std::string& out)");
  static_assert(!has_encode_entry<Handler> || requires(std::string_view e, const Config& c, std::string& o) {
                  { Handler::encode_entry(e, c, o) } -> Nothing; },
                "encode_entry must be: static void encode_entry(std::string_view entry, const Config&, std::string& out)");
  static_assert(!(has_encode<Handler> || has_encode_entry<Handler>) || has_destination<Handler>,
                "a handler with encode or encode_entry must say where entries go: static gibbon::Destination "
                "destination(const Config&)");
  static_assert(!has_reads_body<Handler> ||
                    requires(const Config& c) { { Handler::reads_body(c) } -> std::convertible_to<bool>; } ||
                    requires(const Request& r, const Config& c) {
                      { Handler::reads_body(r, c) } -> std::convertible_to<bool>;
                    },
                "reads_body must be: static bool reads_body(const Config&), or with a const gibbon::Request& before");
  static_assert(!has_secrets<Handler> ||
                    requires(const Config& c) { { Handler::secrets(c) } -> std::same_as<std::vector<std::string>>; },
                "secrets must be: static std::vector<std::string> secrets(const Config&)");
  static_assert(!has_entities<Handler> || requires { { Handler::entities() } -> std::same_as<std::vector<Entity>>; },
                "entities must be: static std::vector<gibbon::Entity> entities()");
  static_assert(!has_metrics<Handler> || requires { { Handler::metrics() } -> std::same_as<std::vector<MetricFamily>>; },
                "metrics must be: static std::vector<gibbon::MetricFamily> metrics()");
}

template <typename Handler, typename Config>
PluginDescriptor describe(const char* name, Schema (*schema)()) {
  check_handler<Handler, Config>();
  PluginDescriptor d{};
  d.abi_version = kPluginAbiVersion;
  d.toolchain = kPluginToolchain;
  d.name = name;
  // Where one is missing, the message above is enough.
  if constexpr (has_VERSION<Handler>) d.version = Handler::VERSION;
  if constexpr (has_PRIORITY<Handler>) d.priority = Handler::PRIORITY;
  if constexpr (has_FAILURE_POLICY<Handler>) d.failure_policy = Handler::FAILURE_POLICY;
  d.schema = schema;
  d.make_config = [](const ConfigView& view) -> void* { return new Config(view); };
  d.free_config = [](void* config) { delete static_cast<Config*>(config); };
  if constexpr (requires(Background& b) { Handler::init_worker(b); })
    d.init_worker = [](Background& b) { return run([&] { return Handler::init_worker(b); }); };
  if constexpr (requires(Background& b, std::span<const Config* const> c) { Handler::configure(b, c); })
    d.configure = [](Background& b, std::span<const void* const> configs) {
      std::vector<const Config*> typed;
      for (const void* config : configs) typed.push_back(static_cast<const Config*>(config));
      Handler::configure(b, typed);
    };
  if constexpr (requires(Handshake& h, const Config& c) { Handler::certificate(h, c); })
    d.certificate = [](Handshake& h, const void* c) { Handler::certificate(h, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::rewrite(e, c); })
    d.rewrite = [](Exchange& e, const void* c) {
      return run([&] { return Handler::rewrite(e, *static_cast<const Config*>(c)); });
    };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::access(e, c); })
    d.access = [](Exchange& e, const void* c) {
      return run([&] { return Handler::access(e, *static_cast<const Config*>(c)); });
    };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::response(e, c); })
    d.response = [](Exchange& e, const void* c) {
      return run([&] { return Handler::response(e, *static_cast<const Config*>(c)); });
    };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::header_filter(e, c); })
    d.header_filter = [](Exchange& e, const void* c) { Handler::header_filter(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(Exchange& e, BodyChunk& b, const Config& c) { Handler::body_filter(e, b, c); })
    d.body_filter = [](Exchange& e, BodyChunk& b, const void* c) {
      Handler::body_filter(e, b, *static_cast<const Config*>(c));
    };
  if constexpr (requires(Exchange& e, const Config& c) { Handler::log(e, c); })
    d.log = [](Exchange& e, const void* c) { Handler::log(e, *static_cast<const Config*>(c)); };
  if constexpr (requires(const Config& c) { Handler::destination(c); })
    d.destination = [](const void* c) { return Handler::destination(*static_cast<const Config*>(c)); };
  if constexpr (requires(const ExchangeRecord& r, const Config& c, std::string& o) { Handler::encode(r, c, o); })
    d.encode = [](const ExchangeRecord& r, const void* c, std::string& o) {
      Handler::encode(r, *static_cast<const Config*>(c), o);
    };
  if constexpr (requires(std::string_view e, const Config& c, std::string& o) { Handler::encode_entry(e, c, o); })
    d.encode_entry = [](std::string_view e, const void* c, std::string& o) {
      Handler::encode_entry(e, *static_cast<const Config*>(c), o);
    };
  if constexpr (requires(const Config& c) { Handler::reads_body(c); })
    d.reads_body = [](const Request&, const void* c) { return Handler::reads_body(*static_cast<const Config*>(c)); };
  if constexpr (requires(const Request& r, const Config& c) { Handler::reads_body(r, c); })
    d.reads_body = [](const Request& r, const void* c) {
      return Handler::reads_body(r, *static_cast<const Config*>(c));
    };
  if constexpr (requires(const Config& c) { Handler::secrets(c); })
    d.secrets = [](const void* c) { return Handler::secrets(*static_cast<const Config*>(c)); };
  if constexpr (requires { Handler::entities(); }) d.entities = Handler::entities;
  if constexpr (requires { Handler::metrics(); }) d.metrics = Handler::metrics;
  return d;
}

}  // namespace detail
}  // namespace gibbon

/// Makes `Handler` and `Config` a plugin called `name`; once in a shared object, at namespace scope.
#define GIBBON_PLUGIN(name, Handler, Config, schema)                                                      \
  extern "C" __attribute__((visibility("default"))) const ::gibbon::PluginDescriptor* gibbon_plugin() {   \
    static const ::gibbon::PluginDescriptor descriptor = ::gibbon::detail::describe<Handler, Config>(name, schema); \
    return &descriptor;                                                                                   \
  }
