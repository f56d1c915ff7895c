#include "http/message.hpp"

#include "base/ascii.hpp"

namespace gibbon::http {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (equal_without_case(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace gibbon::http
