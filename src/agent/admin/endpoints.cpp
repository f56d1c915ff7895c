#include <algorithm>

#include "agent/admin/api.hpp"
#include "agent/admin/reply.hpp"
#include "schema/form.hpp"

namespace gibbon::agent {
namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end);
  }
  if (!segments.empty() && segments.back().empty()) segments.pop_back();  // a slash at the end
  return segments;
}

bool is_place(const std::string& segment) { return segment.starts_with('{'); }

}  // namespace

std::optional<std::string> Call::argument(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

Endpoints::Entry& Endpoints::entry(std::string_view pattern) {
  auto& entry = entries_[std::string(pattern)];
  entry.segments = split_path(pattern);
  return entry;
}

void Endpoints::add(std::string_view method, std::string_view pattern, Endpoint endpoint) {
  entry(pattern).methods[std::string(method)] = std::move(endpoint);
}

void Endpoints::add_yaml(std::string_view method, std::string_view pattern, Endpoint endpoint) {
  add(method, pattern, std::move(endpoint));
  entry(pattern).yaml = YamlBody::kAllowed;
}

void Endpoints::wrap(std::string_view method, std::string_view pattern,
                     std::function<http::Response(Call&, const Endpoint&)> endpoint) {
  auto& held = entry(pattern).methods[std::string(method)];
  held = [former = std::move(held), endpoint = std::move(endpoint)](Call& call) { return endpoint(call, former); };
}

void Endpoints::refuse(std::string_view pattern, http::Response answer) { entry(pattern).refusal = std::move(answer); }

std::vector<std::string> Endpoints::patterns() const {
  std::vector<std::string> list;
  for (const auto& [pattern, entry] : entries_) list.push_back(pattern);
  // By segments: what is below a path stands before a longer name beside it.
  std::sort(list.begin(), list.end(), [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return (x == '/' ? 0 : static_cast<unsigned char>(x)) < (y == '/' ? 0 : static_cast<unsigned char>(y));
    });
  });
  return list;
}

std::vector<ServedPath> Endpoints::served() const {
  std::vector<ServedPath> list;
  for (const auto& [pattern, entry] : entries_) {
    if (entry.refusal) continue;
    ServedPath path{pattern, {}};
    for (const auto& [method, endpoint] : entry.methods) path.methods.push_back(method);
    list.push_back(std::move(path));
  }
  return list;
}

http::Response Endpoints::answer(const http::Request& request) const {
  const auto segments = split_path(request.path);
  const Entry* best = nullptr;
  for (const auto& [pattern, entry] : entries_) {
    if (entry.segments.size() != segments.size()) continue;
    const auto fits = [&](std::size_t i) {
      return is_place(entry.segments[i]) ? !segments[i].empty() : entry.segments[i] == segments[i];
    };
    bool all = true;
    for (std::size_t i = 0; all && i < segments.size(); ++i) all = fits(i);
    // A literal segment, the earlier the better, goes before a place.
    if (all && (best == nullptr || std::lexicographical_compare(
                                       entry.segments.begin(), entry.segments.end(), best->segments.begin(),
                                       best->segments.end(), [](const std::string& a, const std::string& b) {
                                         return !is_place(a) && is_place(b);
                                       })))
      best = &entry;
  }
  if (best == nullptr) return not_found_reply();
  if (best->refusal) return *best->refusal;

  if (request.method == "OPTIONS") {
    std::vector<std::string> methods{"OPTIONS"};
    for (const auto& [method, endpoint] : best->methods) methods.push_back(method);
    if (best->methods.contains("GET")) methods.emplace_back("HEAD");
    std::sort(methods.begin(), methods.end());
    std::string allow;
    for (const auto& method : methods) allow += (allow.empty() ? "" : ", ") + method;
    auto response = no_content_reply();
    const auto wanted = request.header("access-control-request-headers");
    response.headers = {{"Access-Control-Allow-Methods", allow},
                        {"Allow", allow},
                        {"Access-Control-Allow-Headers", wanted.empty() ? "Content-Type" : std::string(wanted)}};
    return response;
  }
  const auto endpoint =
      best->methods.find(request.method == "HEAD" ? "GET" : std::string_view(request.method));
  if (endpoint == best->methods.end()) return message_reply(405, "Method not allowed");

  Call call{request, {}, http::parse_query(request.query), {}};
  if (call.query.size() > schema::kMaxFormFields) return message_reply(400, "Too many arguments");
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (const auto& name = best->segments[i]; is_place(name))
      call.params[name.substr(1, name.size() - 2)] = http::percent_decode(segments[i], true);
  if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    auto body = read_body(request, best->yaml);
    if (auto* refused = std::get_if<http::Response>(&body)) return std::move(*refused);
    call.body = std::move(std::get<Body>(body));
  }
  return endpoint->second(call);
}

}  // namespace gibbon::agent
