#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gibbon::schema {

/// Checks a text against the format that a row names with format(): the message of the violation, nothing
/// where it is right or where no such format is known.
///
/// Formats: name, tag, utf8, url, http_url, path, router_path, regex, host, host_with_optional_port,
/// route_host, wildcard_host, sni, ip, ip_or_cidr, cidr_v4, header_name, certificate, private_key.
std::optional<std::string> check_format(std::string_view format, std::string_view text);

/// Whether check_format() knows `format`: a row that names another one is a mistake in the schema.
bool is_known_format(std::string_view format);

/// A reference to a secret that is resolved later: "{vault://...}". Validators do not look into one.
bool is_vault_reference(std::string_view text);

}  // namespace gibbon::schema
