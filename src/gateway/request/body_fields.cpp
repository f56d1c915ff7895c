// The fields of a body, by its type: see arguments.hpp.
#include <algorithm>
#include <optional>

#include "base/ascii.hpp"
#include "base/json.hpp"
#include "gateway/request/arguments.hpp"

namespace gibbon::gateway {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

/// Walks over JSON that is known to be valid.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}

  std::size_t at = 0;
  void skip_space() { at = std::min(text_.find_first_not_of(kSpace, at), text_.size()); }
  [[nodiscard]] char next() const { return at < text_.size() ? text_[at] : '\0'; }
  /// Steps over one value.
  Piece value() {
    const std::size_t begin = at;
    if (next() == '"') {
      string();
    } else if (next() == '{' || next() == '[') {
      int depth = 0;
      do {
        const char c = next();
        if (c == '"') {
          string();
          continue;
        }
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        ++at;
      } while (depth > 0 && at < text_.size());
    } else {
      at = std::min(text_.find_first_of(",}] \t\r\n", at), text_.size());
    }
    return {begin, at};
  }

 private:
  void string() {
    for (++at; at < text_.size() && text_[at] != '"'; ++at)
      if (text_[at] == '\\') ++at;
    at = std::min(at + 1, text_.size());
  }
  std::string_view text_;
};

std::string decoded(std::string_view json_string) {
  boost::system::error_code failed;
  const json::value value = json::parse(json_string, failed);
  return !failed && value.is_string() ? std::string(value.get_string()) : std::string();
}

Parameter::Kind kind_of(char first) {
  if (first == '"') return Parameter::Kind::kText;
  return first == '{' || first == '[' ? Parameter::Kind::kRepeated : Parameter::Kind::kFlag;
}

struct Member {
  Piece whole;
  bool goes;
};

/// What to cut so that members go and the commas between the others are right.
std::vector<Piece> cuts(const std::vector<Member>& members) {
  std::vector<Piece> pieces;
  bool any_stays = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Piece& whole = members[i].whole;
    if (!members[i].goes) {
      any_stays = true;
    } else if (any_stays) {
      pieces.push_back({members[i - 1].whole.end, whole.end});
    } else {
      pieces.push_back({whole.begin, i + 1 < members.size() ? members[i + 1].whole.begin : whole.end});
    }
  }
  return pieces;
}

/// A member of the object; the last one counts where a name is repeated, as for most readers of JSON.
Found find_member(std::string_view body, std::string_view name) {
  Found found;
  boost::system::error_code failed;
  const json::value whole = json::parse(body, failed);
  if (failed || !whole.is_object()) return found;
  JsonWalk walk(body);
  walk.skip_space();
  ++walk.at;  // the brace
  std::vector<Member> members;
  for (walk.skip_space(); walk.next() == '"'; walk.skip_space()) {
    const Piece key = walk.value();
    walk.skip_space();
    ++walk.at;  // the colon
    walk.skip_space();
    const Piece value = walk.value();
    members.push_back({{key.begin, value.end}, false});
    if (decoded(body.substr(key.begin, key.end - key.begin)) == name) {
      members.back().goes = true;
      found.values.push_back(value);
      found.kind = kind_of(body[value.begin]);
      found.text = decoded(body.substr(value.begin, value.end - value.begin));
    }
    walk.skip_space();
    if (walk.next() != ',') break;
    ++walk.at;
  }
  found.members = cuts(members);
  return found;
}

/// The value of a parameter of a header: name=value or name="value".
std::string parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos; at = header.find(';', at)) {
    at = std::min(header.find_first_not_of(" \t", at + 1), header.size());
    const std::string_view rest = header.substr(at);
    if (rest.size() <= name.size() || rest[name.size()] != '=' ||
        !equals_lower(rest.substr(0, name.size()), name))
      continue;
    const std::string_view value = rest.substr(name.size() + 1);
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(value.substr(0, value.find_first_of("; \t\r")));
  }
  return {};
}

/// The name in a part's Content-Disposition.
std::string part_name(std::string_view head) {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (line.size() > 20 && equals_lower(line.substr(0, 20), "content-disposition:"))
      return parameter(line, "name");
    head.remove_prefix(std::min(line.size() + 2, head.size()));
  }
  return {};
}

/// RFC 7578.
Found find_part(std::string_view content_type, std::string_view body, std::string_view name) {
  Found found;
  const std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty()) return found;
  const std::string delimiter = "--" + boundary;
  std::size_t at = body.find(delimiter);
  while (at != std::string_view::npos) {
    const std::size_t head = at + delimiter.size() + 2;
    const std::size_t end = body.find("\r\n" + delimiter, at + delimiter.size());
    const std::size_t content = body.find("\r\n\r\n", at);
    if (end == std::string_view::npos || content == std::string_view::npos || content + 4 > end + 2)
      return found;
    if (part_name(body.substr(head, content - head)) == name) {
      const Piece value{std::min(content + 4, end), end};
      found.members.push_back({at, end + 2});
      found.values.push_back(value);
      found.kind =
          found.kind == Parameter::Kind::kMissing ? Parameter::Kind::kText : Parameter::Kind::kRepeated;
      found.text = body.substr(value.begin, value.end - value.begin);
    }
    at = end + 2;
  }
  return found;
}

}  // namespace

Found find_body_field(std::string_view content_type, std::string_view body, std::string_view name) {
  const auto is = [&](std::string_view type) {
    return content_type.size() >= type.size() && equals_lower(content_type.substr(0, type.size()), type);
  };
  if (is("application/x-www-form-urlencoded")) return find_argument(body, name);
  if (is("application/json")) return find_member(body, name);
  if (is("multipart/form-data")) return find_part(content_type, body, name);
  return {};
}

}  // namespace gibbon::gateway
