#include "echo.hpp"

#include <simdjson.h>
#include <unistd.h>

#include <optional>

#include "arguments.hpp"
#include "gibbon/json.hpp"

namespace request_termination {
namespace {

using namespace gibbon;

/// An object that is being written: its members, in the order of the calls.
class JsonObject {
 public:
  void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
  void number(std::string_view name, std::int64_t value) { append_json_integer(key(name), value); }
  /// JSON that is written already.
  void json(std::string_view name, std::string_view value) { key(name).append(value); }
  [[nodiscard]] std::string done() { return out_ + "}"; }

 private:
  std::string& key(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    return out_ += ':';
  }
  std::string out_ = "{";
};

void append_value(std::string& out, const std::optional<std::string>& value) {
  if (value) {
    append_json_string(out, *value);
  } else {
    append_json_bool(out, true);
  }
}

/// A name with several values has an array.
std::string object_of(const NamedList& list) {
  JsonObject object;
  for (const Named& named : list) {
    std::string value;
    for (const auto& one : named.values) append_value(value.append(value.empty() ? "" : ","), one);
    object.json(named.name, named.values.size() == 1 ? value : "[" + value + "]");
  }
  return object.done();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

NamedList headers_of(const ServiceRequest& request) {
  NamedList list;
  const auto one = [&list](std::string_view name, std::string_view value) { add(list, lower(name), std::string(value)); };
  request.each_header(one);
  return list;
}

/// The body as its type says; nothing where it says nothing that is known here, or something else.
std::optional<std::string> parsed_body(std::string_view type, std::string_view body) {
  if (type.find("application/x-www-form-urlencoded") != std::string_view::npos) return object_of(arguments_of(body));
  if (type.find("application/json") == std::string_view::npos) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (parser.parse(body.data(), body.size()).get(json) != simdjson::SUCCESS) return {};
  return simdjson::minify(json);
}

std::string captures_of(const Request& request) {
  std::string unnamed;
  for (int i = 1;; ++i) {
    const std::string_view group = request.uri_capture(std::to_string(i));
    if (group.empty()) break;
    append_json_string(unnamed.append(unnamed.empty() ? "" : ","), group);
  }
  return R"({"unnamed":[)" + unnamed + R"(],"named":{}})";
}

std::string request_of(Exchange& exchange) {
  const Request& request = exchange.request();
  const ServiceRequest& changed = exchange.service_request();
  JsonObject object;
  object.text("scheme", request.scheme());
  object.text("host", request.host());
  object.number("port", request.port());
  object.json("headers", object_of(headers_of(changed)));
  object.json("query", object_of(arguments_of(changed.query())));
  if (const Body body = request.body(); !body.on_disk) {
    if (const auto parsed = parsed_body(lower(request.header("content-type")), body.bytes)) object.json("body", *parsed);
    object.text("raw_body", body.bytes);
  }
  object.text("method", request.method());
  object.text("path", request.path());
  object.json("uri_captures", captures_of(request));
  return object.done();
}

std::string gateway_of(Exchange& exchange) {
  JsonObject object;
  object.text("node_id", exchange.node().id());
  object.number("worker_pid", getpid());
  object.text("hostname", exchange.node().hostname());
  return object.done();
}

std::string route_of(const RouteView& route) {
  JsonObject object;
  object.text("id", route.id);
  if (!route.name.empty()) object.text("name", route.name);
  return object.done();
}

std::string service_of(const ServiceView& service) {
  JsonObject object;
  object.text("id", service.id);
  if (!service.name.empty()) object.text("name", service.name);
  object.text("protocol", service.protocol);
  object.text("host", service.host);
  object.number("port", service.port);
  if (!service.path.empty()) object.text("path", service.path);
  return object.done();
}

/// The name under which Kong finds a header: '_' in what is looked for stands for '-' too.
std::string header_key(std::string_view name) {
  std::string key = lower(name);
  for (char& c : key)
    if (c == '_') c = '-';
  return key;
}

}  // namespace

bool has_trigger(Exchange& exchange, std::string_view name) {
  bool found = false;
  const std::string key = header_key(name);
  const auto look = [&](std::string_view header, std::string_view) {
    const std::string lowered = lower(header);
    found = found || lowered == key || lowered == name;
  };
  exchange.service_request().each_header(look);
  if (found) return true;
  for (const Named& argument : arguments_of(exchange.service_request().query()))
    if (argument.name == name) return true;
  return false;
}

std::string echo(Exchange& exchange, std::string_view message) {
  JsonObject object;
  if (!message.empty()) object.text("message", message);
  object.json("kong", gateway_of(exchange));
  object.json("request", request_of(exchange));
  if (const RouteView* route = exchange.router().route()) object.json("matched_route", route_of(*route));
  if (const ServiceView* service = exchange.router().service()) object.json("matched_service", service_of(*service));
  return object.done();
}

}  // namespace request_termination
