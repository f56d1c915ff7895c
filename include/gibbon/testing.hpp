#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gibbon/plugin.hpp"

/// Runs a plugin without nginx, in any test framework:
///
///     extern "C" const gibbon::PluginDescriptor* gibbon_plugin();
///
///     gibbon::testing::Gateway gateway(*gibbon_plugin(), R"({"limit": 5})");
///     const auto answer = gateway.send({.method = "GET", .target = "/x", .headers = {{"apikey", "k"}}});
///     EXPECT_EQ(answer.status, 401);
///
/// The phases run in the gateway's order, with its rules: a function of the kit throws PhaseError where it has no meaning,
/// what a handler throws costs its failure policy, an answer of exit() or error() skips the upstream. `rewrite` and
/// `certificate` run as for a global configuration. Nothing here waits: time is virtual, and what a plugin asks of the
/// network is answered by the test. Link with libgibbon-testing (find_package(Gibbon): Gibbon::testing).
/// Threads: one at a time.
namespace gibbon::testing {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  ///< With its query.
  HeaderList headers{};      ///< Host and Content-Length are added where they are missing.
  std::string body{};
  std::string scheme = "http", host = "localhost", protocol = "HTTP/1.1", client_ip = "127.0.0.1";
  std::uint16_t port = 8000;
  std::string consumer{};     ///< The username of a consumer that an earlier plugin authenticated; empty: of none.
  std::string server_name{};  ///< SNI, for https.
};

/// What the upstream gets.
struct UpstreamRequest {
  std::string method{}, path{}, query{}, body{};
  HeaderList headers{};
  std::string upstream{};  ///< Of set_upstream(), or else of set_target() as "host:port"; empty: the service's own.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
};

/// What it answers. Content-Length is added where the body is one piece and the headers have none.
struct UpstreamAnswer {
  int status = 200;
  HeaderList headers{};
  std::vector<std::string> chunks{};  ///< The body, in the pieces in which it comes.
};

/// What the client gets, and what else became of the request.
struct Answer {
  int status = 0;
  HeaderList headers{};
  std::string body{};
  bool reached_upstream = false;
  UpstreamRequest upstream{};        ///< Where it was reached.
  std::vector<std::string> entries{};  ///< Of record() and enqueue(): what the log endpoint gets, as JSON.
  std::vector<std::string> thrown{};   ///< What handlers let escape: "access: no such plan".
  /// The first value of a header, its name in any case; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
};

struct LogLine {
  Log::Level level;
  std::string text;
};

struct TestConsumer {
  std::string username{}, custom_id{}, id{};  ///< id: made where it is empty.
};

/// A gateway with one plugin and one configuration of it.
class Gateway {
 public:
  using Upstream = std::function<UpstreamAnswer(const UpstreamRequest&)>;
  using Http = std::function<HttpResponse(const HttpRequest&)>;
  using Resolve = std::function<std::vector<std::string>(const std::string& name)>;
  using Connect = std::function<std::unique_ptr<Socket>(const ConnectOptions&)>;

  /// `config`: the plugin's `config` as JSON. It is validated and its defaults are filled in, as by the Admin API; then
  /// init_worker and configure run. Throws std::invalid_argument, with Kong's message, where it is refused:
  /// "schema violation (config.limit: expected an integer)". The plugin must outlive the gateway.
  explicit Gateway(const PluginDescriptor& plugin, std::string_view config = "{}");
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// One request, from its first phase to its last. Tasks that it left behind wait for run_tasks().
  Answer send(const ClientRequest& request = {});

  /// Answers for the upstream; without it, 200 and no body.
  void upstream(Upstream answer);
  /// Answers for Async::http(), resolve() and connect(). They may throw WaitError, which co_await throws then. Without one, all
  /// are refused: WaitError::Kind::kConnection.
  void http(Http answer);
  void resolve(Resolve answer);
  void connect(Connect answer);

  /// What Entities finds. `fields` must hold the collection's endpoint key, `key`.
  void add_consumer(const TestConsumer& consumer);
  void add_entity(std::string collection, std::string key, HeaderList fields, std::string consumer_username = {});
  /// What Router says; before it is called, a service and a route named "test".
  void route(std::string name, std::string service_name);

  /// Virtual time, milliseconds since the epoch. It moves with advance(), and by what handlers wait for.
  [[nodiscard]] std::int64_t now_ms() const;
  /// Lets time pass, and runs the tasks whose time has come, in their order.
  void advance(std::chrono::milliseconds time);
  /// Runs the tasks that are due now: those of after(0).
  void run_tasks() { advance(std::chrono::milliseconds(0)); }
  /// How many tasks wait for their time.
  [[nodiscard]] std::size_t waiting_tasks() const;

  /// 0 where it is not there, or has ended.
  [[nodiscard]] std::int64_t counter(std::string_view key) const;
  /// The sum of what was added to a metric's set of labels, by the family's name.
  [[nodiscard]] double metric(std::string_view family, const std::vector<std::string>& labels = {}) const;
  /// How often something was added to it: for histograms.
  [[nodiscard]] std::uint64_t metric_count(std::string_view family, const std::vector<std::string>& labels = {}) const;
  /// What plugins wrote, and exceptions, since the beginning.
  [[nodiscard]] const std::vector<LogLine>& log() const;
  /// Whether a line holds `text`.
  [[nodiscard]] bool logged(std::string_view text) const;
  /// Entries that background tasks and requests have left, as in Answer::entries.
  [[nodiscard]] const std::vector<std::string>& entries() const;
  /// Where they go: the plugin's destination().
  [[nodiscard]] Destination destination() const;
  /// The configuration with its defaults, as JSON.
  [[nodiscard]] const std::string& config() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For tests without a framework: what fails is printed and counted. `return gibbon::testing::failures();` ends main().

inline int& failures() {
  static int count = 0;
  return count;
}

inline bool expect(bool holds, const std::source_location& where = std::source_location::current()) {
  if (holds) return true;
  std::cerr << where.file_name() << ":" << where.line() << ": does not hold\n";
  ++failures();
  return false;
}

template <typename Actual, typename Expected>
bool expect_equal(const Actual& actual, const Expected& expected,
                  const std::source_location& where = std::source_location::current()) {
  if (actual == expected) return true;
  std::cerr << where.file_name() << ":" << where.line() << ": is " << actual << ", expected " << expected << "\n";
  ++failures();
  return false;
}

}  // namespace gibbon::testing
