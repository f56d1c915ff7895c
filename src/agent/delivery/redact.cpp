#include "agent/delivery/redact.hpp"

#include <algorithm>
#include <string_view>

#include "record/secret_headers.hpp"

namespace gibbon::agent {
namespace {

constexpr std::string_view kRedactedUserinfo = "%5BREDACTED%5D";  // within a URL

void redact_headers(std::vector<Header>& headers) {
  for (Header& header : headers)
    if (record::is_secret_header(header.name)) header.value = record::kRedacted;
}

}  // namespace

void Redactor::redact(record::ParsedRecord& record) {
  redact_headers(record.request_headers());
  redact_headers(record.response_headers());
  const std::string_view target = record.exchange().target;
  if (target.starts_with('/')) return;
  // Absolute form, or the authority alone (CONNECT): all before the last '@' of the authority.
  const std::size_t scheme = target.find("://");
  const std::size_t start = scheme == std::string_view::npos || target.find_first_of("/?#") < scheme ? 0 : scheme + 3;
  const std::size_t end = std::min(target.find_first_of("/?#", start), target.size());
  const std::size_t at = target.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < start) return;
  target_.assign(target.substr(0, start)).append(kRedactedUserinfo).append(target.substr(at));
  record.replace_target(target_);
}

}  // namespace gibbon::agent
