#pragma once

#include <string>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

namespace gibbon::app {

/// Two PEM files.
struct CertificatePair {
  std::string certificate, key;
};

/// What the TLS addresses of proxy_listen show: the settings' own, else the two self-signed ones of
/// PREFIX/ssl.
std::vector<CertificatePair> proxy_certificates(const Settings& settings, const Paths& paths);
/// The self-signed one of admin_listen, or of status_listen: `role` is "admin" or "status".
CertificatePair default_certificate(const Paths& paths, const std::string& role);

/// What the gateway shows to upstreams where client_ssl is on: the settings' own, else as proxy_certificates().
CertificatePair client_certificate(const Settings& settings, const Paths& paths);

/// Makes each self-signed certificate that is needed and not there yet; the keys' files have mode 0600.
Status make_certificates(const Settings& settings, const Paths& paths);

}  // namespace gibbon::app
