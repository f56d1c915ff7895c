#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gibbon/exchange.hpp"

/// The arguments of a query, and the fields of a body: found, taken out and made unreadable, with every other
/// byte left as it is. Threads: any.
namespace gibbon::gateway {

/// A part of a text: [begin, end).
struct Piece {
  std::size_t begin = 0, end = 0;
};

/// What a text holds under a name.
struct Found {
  Parameter::Kind kind = Parameter::Kind::kMissing;
  std::string text;            ///< Parameter::Kind::kText: the value, decoded.
  std::vector<Piece> members;  ///< All that is to be taken out where the name is.
  std::vector<Piece> values;   ///< Where the values stand, as they are written.
};

/// "a=1&b=2&c" in its order, decoded as OpenResty does: '+' is a space, what has no name is left out, escapes that are
/// none stay. What is passed lives for the call alone, but where it needed no decoding: then it is a part of `query`.
void each_argument(std::string_view query, ArgumentVisitor visit);
/// An argument of a query, decoded.
Found find_argument(std::string_view query, std::string_view name);
/// A field of a body whose Content-Type is a form (urlencoded, multipart) or JSON; of any other there is
/// none.
Found find_body_field(std::string_view content_type, std::string_view body, std::string_view name);
/// `text` without some of its pieces, which stand in their order.
std::string without(std::string_view text, const std::vector<Piece>& pieces);

/// Whether a query has arguments of one of these names (in any case) whose values are to be hidden; `out` is
/// the request target with "%5BREDACTED%5D" in their places. Where it has none, `out` stays as it was.
bool redact_arguments(std::string_view target, std::span<const std::string> names, std::string& out);

}  // namespace gibbon::gateway
