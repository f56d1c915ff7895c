#pragma once

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "gibbon/plugin.hpp"

/// Calls functions of the kit, as its configuration says, and tells what they gave: in a header X-Probe of the answer
/// for each call or, once the head is on its way, in the error log.
namespace probe {

using namespace gibbon;

/// A step is "phase function argument argument ...", parted by '|'.
inline Schema schema() {
  return fields::record({
      {"steps", fields::array(fields::string()).required()},
      {"reads_body", fields::boolean().default_value(false)},
  });
}

struct Step {
  explicit Step(std::string_view text) {
    std::size_t at = 0;
    do {
      const std::size_t end = std::min(text.find('|', at), text.size());
      words.emplace_back(text.substr(at, end - at));
      at = end + 1;
    } while (at <= text.size());
  }
  [[nodiscard]] const std::string& phase() const { return words[0]; }
  [[nodiscard]] const std::string& function() const { return words[1]; }
  [[nodiscard]] std::string_view argument(std::size_t i) const {
    return i + 2 < words.size() ? std::string_view(words[i + 2]) : std::string_view();
  }
  [[nodiscard]] long number(std::size_t i) const { return std::strtol(std::string(argument(i)).c_str(), nullptr, 10); }
  std::vector<std::string> words;
};

struct Config {
  explicit Config(const ConfigView& view) : reads_body(view.boolean("reads_body")) {
    for (const std::string& step : view.strings("steps")) steps.emplace_back(step);
  }
  std::vector<Step> steps;
  bool reads_body;
};

inline std::string text(const Body& body) {
  return std::string(body.bytes) + " (" + std::to_string(body.size) + (body.on_disk ? ", on disk)" : ")");
}

template <typename Side>
std::string headers(Side& side) {
  std::string list;
  const auto add = [&list](std::string_view name, std::string_view value) {
    list.append(list.empty() ? "" : "; ").append(name).append("=").append(value);
  };
  side.each_header(add);
  return list;
}

inline std::string request(Request& r, const Step& s) {
  const std::string& f = s.function();
  if (f == "path") return std::string(r.path());
  if (f == "query") return std::string(r.query());
  if (f == "method") return std::string(r.method());
  if (f == "header") return std::string(r.header(s.argument(0)));
  if (f == "tls") return std::string(r.tls().version) + " " + std::string(r.tls().cipher) + " " + std::string(r.tls().client_verify);
  if (f == "forwarded")
    return std::string(r.forwarded_scheme()) + " " + std::string(r.forwarded_host()) + " " + std::to_string(r.forwarded_port());
  if (f == "arguments") {
    std::vector<std::pair<std::string_view, std::string_view>> all;  // The views must last.
    const auto keep = [&all](std::string_view name, std::string_view value, bool has_value) {
      all.emplace_back(name, has_value ? value : "(none)");
    };
    r.each_query_argument(keep);
    std::string list;
    for (const auto& [name, value] : all) list.append(list.empty() ? "" : "; ").append(name).append("=").append(value);
    return list;
  }
  if (f == "uri_capture") return std::string(r.uri_capture(s.argument(0)));
  if (f == "content_length") return std::to_string(r.content_length());
  if (f == "body") return text(r.body());
  if (f == "body_field") return std::string(r.find_body_field(s.argument(0)).text);
  return "?";
}

inline std::string upstream(ServiceRequest& r, const Step& s) {
  const std::string f = s.function().substr(3);
  if (f == "method") return std::string(r.method());
  if (f == "path") return std::string(r.path());
  if (f == "query") return std::string(r.query());
  if (f == "header") return std::string(r.header(s.argument(0)));
  if (f == "headers") return headers(r);
  if (f == "body") return text(r.body());
  if (f == "set_method") return r.set_method(s.argument(0)), "";
  if (f == "set_path") return r.set_path(s.argument(0)), "";
  if (f == "set_query") return r.set_query(s.argument(0)), "";
  if (f == "set_header") return r.set_header(s.argument(0), s.argument(1)), "";
  if (f == "add_header") return r.add_header(s.argument(0), s.argument(1)), "";
  if (f == "clear_header") return r.clear_header(s.argument(0)), "";
  if (f == "clear_argument") return r.clear_query_argument(s.argument(0)), "";
  if (f == "clear_field") return r.clear_body_field(s.argument(0)), "";
  if (f == "set_body") return r.set_body(s.argument(0)), "";
  if (f == "set_message") {  // gRPC's frame around a short text.
    const std::string_view message = s.argument(0);
    return r.set_body(std::string(4, '\0') + static_cast<char>(message.size()) + std::string(message)), "";
  }
  return "?";
}

inline std::string service(Service& service, const Step& s) {
  using std::chrono::milliseconds;
  const std::string f = s.function().substr(3);
  if (f == "set_upstream") return service.set_upstream(s.argument(0)) ? "true" : "false";
  if (f == "set_target") return service.set_target(s.argument(0), static_cast<std::uint16_t>(s.number(1))), "";
  if (f == "set_retries") return service.set_retries(static_cast<std::uint32_t>(s.number(0))), "";
  if (f == "set_timeouts")
    return service.set_timeouts(milliseconds(s.number(0)), milliseconds(s.number(1)), milliseconds(s.number(2))), "";
  return "?";
}

inline std::string response(Response& r, const Step& s) {
  const std::string f = s.function().substr(2);
  if (f == "source") return r.source() == Response::Source::kExit ? "exit" : r.source() == Response::Source::kError ? "error" : "service";
  if (f == "status") return std::to_string(r.status());
  if (f == "header") return std::string(r.header(s.argument(0)));
  if (f == "headers") return headers(r);
  if (f == "set_status") return r.set_status(static_cast<int>(s.number(0))), "";
  if (f == "set_header") return r.set_header(s.argument(0), s.argument(1)), "";
  if (f == "add_header") return r.add_header(s.argument(0), s.argument(1)), "";
  if (f == "clear_header") return r.clear_header(s.argument(0)), "";
  return "?";
}

inline std::string gave(ServiceResponse& r, const Step& s) {
  if (s.function() == "gave.status") return std::to_string(r.status());
  if (s.function() == "gave.header") return std::string(r.header(s.argument(0)));
  return headers(r);
}

inline std::string matched(Router& router, const Step& s) {
  if (s.function() == "router.route") return router.route() == nullptr ? "none" : std::string(router.route()->name);
  const ServiceView* service = router.service();
  if (service == nullptr) return "none";
  return std::string(service->name) + " " + std::string(service->protocol) + "://" + std::string(service->host) + ":" +
         std::to_string(service->port) + std::string(service->path);
}

inline std::string call(Exchange& e, const Step& s) {
  const std::string& f = s.function();
  if (f == "exit") return e.exit(static_cast<int>(s.number(0)), s.argument(1), s.argument(2)), "";
  if (f == "throw") throw std::runtime_error("as the step says");
  if (f.starts_with("to.")) return upstream(e.service_request(), s);
  if (f.starts_with("at.")) return service(e.service(), s);
  if (f.starts_with("gave.")) return gave(e.service_response(), s);
  if (f.starts_with("router.")) return matched(e.router(), s);
  if (f.starts_with("a.")) return response(e.response(), s);
  return request(e.request(), s);
}

/// Runs the steps of a phase.
inline void run(Exchange& e, const Config& config, Phase phase) {
  for (const Step& s : config.steps) {
    if (s.phase() != phase_name(phase)) continue;
    std::string line;
    for (const std::string& word : s.words) line.append(line.empty() ? "" : "|").append(word);
    try {
      line += " -> " + call(e, s);
    } catch (const PhaseError& error) {
      line += std::string(" !> ") + error.what();
    } catch (const std::invalid_argument& error) {
      line += std::string(" ?> ") + error.what();
    }
    if (phase == Phase::kBodyFilter || phase == Phase::kLog) {
      e.log().notice(line);
    } else {
      e.response().add_header("X-Probe", line);
    }
  }
}

struct Handler {
  static constexpr int PRIORITY = 800;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static bool reads_body(const Config& config) { return config.reads_body; }
  static void rewrite(Exchange& e, const Config& c) { run(e, c, Phase::kRewrite); }
  static void access(Exchange& e, const Config& c) { run(e, c, Phase::kAccess); }
  static void header_filter(Exchange& e, const Config& c) { run(e, c, Phase::kHeaderFilter); }
  static void log(Exchange& e, const Config& c) { run(e, c, Phase::kLog); }
};

/// The phase that holds the answer.
struct HeldHandler {
  static constexpr int PRIORITY = 800;
  static constexpr const char* VERSION = "1.0.0";
  static constexpr auto FAILURE_POLICY = FailurePolicy::kClosed;

  static void response(Exchange& e, const Config& c) { run(e, c, Phase::kResponse); }
};

}  // namespace probe
