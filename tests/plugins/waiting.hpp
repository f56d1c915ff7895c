#pragma once

#include <atomic>
#include <stdexcept>
#include <string>

#include "gibbon/plugin.hpp"

/// What a coroutine can wait for, on request: in the phase that the configuration names. What came of it is the answer,
/// or, where the request goes on, the header X-Waited.
namespace waiting {

using namespace gibbon;
using std::chrono::milliseconds;

inline Schema schema() {
  return fields::record({
      {"phase", fields::string().required()},
      {"act", fields::string().required().one_of({"sleep", "http", "resolve", "connect", "after", "every", "node", "report"})},
      {"url", fields::string()},
      {"method", fields::string().default_value("GET")},
      {"body", fields::string()},
      {"host", fields::string()},
      {"port", fields::integer().default_value(0)},
      {"milliseconds", fields::integer().default_value(1000)},
      {"most", fields::integer().default_value(1 << 20)},
      {"tls", fields::boolean().default_value(false)},
      {"verify", fields::boolean().default_value(true)},
      {"server_name", fields::string()},
      {"pool", fields::string()},
      {"pool_size", fields::integer().default_value(30)},
      {"idle", fields::integer().default_value(30000)},
      {"say", fields::string()},
      {"go_on", fields::boolean().default_value(false)},
  });
}

struct Config {
  explicit Config(const ConfigView& v)
      : phase(v.string("phase")), act(v.string("act")), url(v.string("url")), method(v.string("method")),
        body(v.string("body")), host(v.string("host")), server_name(v.string("server_name")), pool(v.string("pool")),
        say(v.string("say")), port(static_cast<std::uint16_t>(v.integer("port"))), time(v.integer("milliseconds")), idle(v.integer("idle")),
        pool_size(static_cast<std::size_t>(v.integer("pool_size"))), most(static_cast<std::size_t>(v.integer("most"))), tls(v.boolean("tls")), verify(v.boolean("verify")),
        go_on(v.boolean("go_on")) {}
  std::string phase, act, url, method, body, host, server_name, pool, say;
  std::uint16_t port;
  milliseconds time, idle;
  std::size_t pool_size, most;
  bool tls, verify, go_on;
};

inline const char* kind_name(WaitError::Kind kind) {
  constexpr const char* kNames[] = {"timeout", "name", "connection", "tls", "protocol", "too large"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// Of this worker and plugin.
struct Counts {
  int started = 0, configured = 0, configurations = 0, timers = 0, alive = 0;
};
inline Counts counts;

/// Counts the coroutines that stand.
struct Alive {
  Alive() { ++counts.alive; }
  ~Alive() { --counts.alive; }
  Alive(const Alive&) = delete;
};

inline Task<std::string> connect(Async& async, const Config& config) {
  ConnectOptions options;
  options.host = config.host;
  options.port = config.port;
  options.timeout = config.time;
  options.tls = config.tls;
  options.ssl_verify = config.verify;
  options.server_name = config.server_name;
  options.pool = config.pool;
  options.pool_size = config.pool_size;
  const std::unique_ptr<Socket> socket = co_await async.connect(options);
  std::string result = socket->reused() ? "reused " : "new ";
  co_await socket->write(config.say + "\r\n");
  while (result.find('\n') == std::string::npos) {
    const std::string more = co_await socket->read();
    if (more.empty()) co_return result + "closed";
    result += more;
  }
  result.resize(result.find_first_of("\r\n"));
  socket->keep(config.idle);
  co_return result;
}

inline Task<std::string> fetch(Async& async, const Config& config) {
  HttpRequest request;
  request.url = config.url;
  request.method = config.method;
  request.body = config.body;
  request.timeout = config.time;
  request.max_body_bytes = config.most;
  request.ssl_verify = config.verify;
  request.headers = {{"X-Asked-By", "waiting"}};
  const HttpResponse answer = co_await async.http(std::move(request));
  co_return std::to_string(answer.status) + " " + std::string(answer.header("content-type")) + " " + answer.body;
}

inline Task<std::string> act(Async& async, Node& node, const Config& config) {
  try {
    if (config.act == "sleep") {
      co_await async.sleep(config.time);
      co_return "slept";
    }
    if (config.act == "resolve") {
      const auto addresses = co_await async.resolve(config.host);
      std::string all;
      for (const std::string& address : addresses) all += (all.empty() ? "" : " ") + address;
      co_return all;
    }
    if (config.act == "connect") co_return co_await connect(async, config);
    if (config.act == "http") co_return co_await fetch(async, config);
  } catch (const WaitError& e) {
    co_return std::string("error: ") + kind_name(e.kind()) + ": " + e.what();
  }
  if (config.act == "node") co_return std::string(node.id()) + " " + std::to_string(node.worker_id());
  if (config.act == "report")
    co_return "started=" + std::to_string(counts.started) + " configured=" + std::to_string(counts.configured) +
        " configurations=" + std::to_string(counts.configurations) + " timers=" + std::to_string(counts.timers) +
        " alive=" + std::to_string(counts.alive);
  Node::Work work = [config](Background& background) -> Task<> {
    ++counts.timers;
    if (config.say == "throw") throw std::runtime_error("the timer's mistake");
    std::string got = "ran";
    if (!config.url.empty()) got = co_await fetch(background, config);
    background.log().notice(config.say + ": " + got);
  };
  if (config.act == "after") node.after(config.time, std::move(work));
  if (config.act == "every") node.every(config.time, std::move(work));
  co_return config.act;
}

template <FailurePolicy policy>
struct Handler {
  static constexpr int PRIORITY = 710;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = policy;

  static Task<> init_worker(Background& background) {
    ++counts.started;
    co_await background.sleep(milliseconds(1));
    background.log().notice("init_worker has slept");
  }
  static void configure(Background& background, std::span<const Config* const> configs) {
    ++counts.configured;
    counts.configurations = static_cast<int>(configs.size());
    background.log().info("configured");
  }

  static Task<> in_phase(Exchange& exchange, const Config& config, Phase phase) {
    if (config.phase != phase_name(phase)) co_return;
    const Alive alive;
    const std::string result = co_await act(exchange, exchange.node(), config);
    if (config.go_on) {
      exchange.response().set_header("X-Waited", result);
    } else {
      exchange.exit(200, result, "text/plain");
    }
  }
  static Task<> rewrite(Exchange& e, const Config& c) { return in_phase(e, c, Phase::kRewrite); }
  static Task<> access(Exchange& e, const Config& c) { return in_phase(e, c, Phase::kAccess); }
  static Task<> response(Exchange& e, const Config& c) { return in_phase(e, c, Phase::kResponse); }
  static void certificate(Handshake& handshake, const Config& c) {
    if (c.phase != "certificate") return;
    Node::Work work = [say = c.say](Background& background) -> Task<> {
      co_await background.sleep(milliseconds(1));
      background.log().notice(say);
    };
    handshake.node().after(milliseconds(0), std::move(work));
  }
  static void log(Exchange& e, const Config& c) {
    if (c.phase != "log") return;
    Node::Work work = [say = c.say](Background& background) -> Task<> {
      co_await background.sleep(milliseconds(1));
      background.log().notice(say);
    };
    e.node().after(milliseconds(0), std::move(work));
  }
};

}  // namespace waiting
