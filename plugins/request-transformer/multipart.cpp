#include "multipart.hpp"

#include <algorithm>

namespace transformers {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// The value of a parameter, ';name="value"' or ';name=value', of a header's value.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  const std::string low = lower(header);
  std::size_t at = 0;
  while ((at = low.find(';', at)) != low.npos) {
    at = low.find_first_not_of(" \t", at + 1);
    if (at == low.npos) break;
    if (low.compare(at, name.size(), name) != 0 || at + name.size() >= low.size() || low[at + name.size()] != '=') continue;
    at += name.size() + 1;
    if (at < header.size() && (header[at] == '"' || header[at] == '\'')) {
      const std::size_t end = header.find(header[at], at + 1);
      if (end != header.npos) return std::string(header.substr(at + 1, end - at - 1));
    }
    return std::string(header.substr(at, header.find_first_of("; \t\r\n", at) - at));
  }
  return std::nullopt;
}

/// The name that the Content-Disposition among these headers gives.
std::optional<std::string> part_name(std::string_view headers) {
  constexpr std::string_view kDisposition = "content-disposition:";
  while (!headers.empty()) {
    const std::string_view line = headers.substr(0, headers.find('\n'));
    headers.remove_prefix(std::min(line.size() + 1, headers.size()));
    if (lower(line.substr(0, kDisposition.size())) == kDisposition) return parameter(line, "name");
  }
  return std::nullopt;
}

/// Where a line begins with the delimiter, from `at` on.
std::size_t find_delimiter(std::string_view body, std::string_view delimiter, std::size_t at) {
  while ((at = body.find(delimiter, at)) != body.npos) {
    if (at == 0 || body[at - 1] == '\n') return at;
    ++at;
  }
  return body.npos;
}

}  // namespace

std::string multipart_boundary(std::string_view content_type) {
  return parameter(content_type, "boundary").value_or(std::string());
}

Multipart::Multipart(std::string_view body, std::string boundary) : boundary_(std::move(boundary)) {
  const std::string delimiter = "--" + boundary_;
  std::size_t at = find_delimiter(body, delimiter, 0);
  while (at != body.npos) {
    at += delimiter.size();
    if (body.substr(at, 2) == "--") break;
    const std::size_t begin = body.find('\n', at), end = find_delimiter(body, delimiter, at);
    if (begin == body.npos) break;
    std::string_view part = body.substr(begin + 1, end == body.npos ? end : end - begin - 1);
    if (end != body.npos && part.ends_with('\n')) part.remove_suffix(part.ends_with("\r\n") ? 2 : 1);
    read(part);
    at = end;
  }
}

void Multipart::read(std::string_view part) {
  std::size_t at = 0;
  Part read;
  while (at < part.size()) {
    const std::size_t end = std::min(part.find('\n', at), part.size());
    std::string_view line = part.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    read.headers.append(line).append("\r\n");
  }
  if (at < part.size()) read.value = part.substr(at);
  read.name = part_name(read.headers);
  if (read.name)
    if (Part* same = this->part(*read.name)) same->name.reset();
  parts_.push_back(std::move(read));
}

Multipart::Part* Multipart::part(std::string_view name) {
  const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const Part& p) { return p.name == name; });
  return found == parts_.end() ? nullptr : &*found;
}

void Multipart::set(std::string_view name, std::string_view value) {
  Part* known = part(name);
  if (known == nullptr) known = &parts_.emplace_back();
  *known = {"Content-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n", std::string(name),
            std::string(value)};
}

void Multipart::remove(std::string_view name) {
  std::erase_if(parts_, [&](const Part& p) { return p.name == name; });
}

bool Multipart::rename(std::string_view from, std::string_view to) {
  const Part* known = part(from);
  if (from == to || known == nullptr) return false;
  const std::string value = known->value;
  set(to, value);
  remove(from);
  return true;
}

std::string Multipart::text() const {
  if (parts_.empty()) return {};
  std::string out;
  for (const Part& part : parts_)
    out.append("--").append(boundary_).append("\r\n").append(part.headers).append("\r\n").append(part.value).append("\r\n");
  return out.append("--").append(boundary_).append("--\r\n");
}

}  // namespace transformers
