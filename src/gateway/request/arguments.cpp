#include "gateway/request/arguments.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/percent.hpp"

namespace gibbon::gateway {
namespace {

/// Calls `visit(argument, name, value, has_value)` for the raw pieces of "a=1&b".
template <typename Visit>
void each_piece(std::string_view query, Visit visit) {
  std::size_t at = 0;
  while (at < query.size()) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::size_t equals = std::min(query.find('=', at), end);
    visit(Piece{at, end}, query.substr(at, equals - at), Piece{std::min(equals + 1, end), end},
          equals != end);
    at = end + 1;
  }
}

bool is_escaped(std::string_view text) { return text.find_first_of("%+") != std::string_view::npos; }

/// Whether a raw name is one of `names`, in any case.
bool is_one_of(std::string_view raw, std::span<const std::string> names) {
  const std::string decoded = is_escaped(raw) ? percent_decode(raw, true) : std::string();
  const std::string_view name = is_escaped(raw) ? std::string_view(decoded) : raw;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& each) { return equals_lower(name, each); });
}

}  // namespace

void each_argument(std::string_view query, ArgumentVisitor visit) {
  each_piece(query, [&](Piece, std::string_view raw, Piece value, bool has_value) {
    if (raw.empty()) return;
    const std::string_view text = query.substr(value.begin, value.end - value.begin);
    const std::string name = is_escaped(raw) ? percent_decode(raw, true) : std::string();
    const std::string decoded = is_escaped(text) ? percent_decode(text, true) : std::string();
    visit(is_escaped(raw) ? std::string_view(name) : raw, is_escaped(text) ? std::string_view(decoded) : text, has_value);
  });
}

Found find_argument(std::string_view query, std::string_view name) {
  Found found;
  each_piece(query, [&](Piece argument, std::string_view raw, Piece value, bool has_value) {
    if (is_escaped(raw) ? percent_decode(raw, true) != name : raw != name) return;
    // The '&' before goes with an argument, or the one behind where it is the first.
    if (argument.begin > 0) {
      --argument.begin;
    } else if (argument.end < query.size()) {
      ++argument.end;
    }
    found.members.push_back(argument);
    found.values.push_back(value);
    if (found.kind != Parameter::Kind::kMissing) {
      found.kind = Parameter::Kind::kRepeated;
      return;
    }
    found.kind = has_value ? Parameter::Kind::kText : Parameter::Kind::kFlag;
    found.text = percent_decode(query.substr(value.begin, value.end - value.begin), true);
  });
  return found;
}

std::string without(std::string_view text, const std::vector<Piece>& pieces) {
  std::string rest;
  std::size_t at = 0;
  for (const Piece& piece : pieces) {
    rest.append(text.substr(at, std::max(piece.begin, at) - at));
    at = std::max(piece.end, at);
  }
  rest.append(text.substr(at));
  if (!pieces.empty() && pieces.front().begin == 0 && rest.starts_with('&')) rest.erase(0, 1);
  return rest;
}

bool redact_arguments(std::string_view target, std::span<const std::string> names, std::string& out) {
  const std::size_t mark = target.find('?');
  if (names.empty() || mark == std::string_view::npos) return false;
  const std::string_view query = target.substr(mark + 1);
  bool any = false;
  std::size_t copied = 0;
  each_piece(query, [&](Piece, std::string_view raw, Piece value, bool has_value) {
    if (!has_value || value.begin == value.end || !is_one_of(raw, names)) return;
    if (!any) out.assign(target.substr(0, mark + 1));
    any = true;
    out.append(query.substr(copied, value.begin - copied)).append("%5BREDACTED%5D");
    copied = value.end;
  });
  if (any) out.append(query.substr(copied));
  return any;
}

}  // namespace gibbon::gateway
