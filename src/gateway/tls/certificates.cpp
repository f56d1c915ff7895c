#include "gateway/tls/certificates.hpp"

#include <algorithm>
#include <utility>

#include "base/ascii.hpp"

namespace gibbon::gateway::tls {
namespace {

/// Longer than any name that DNS knows.
constexpr std::size_t kMaxName = 255;

bool speaks_tls(const config::Service& service) {
  return service.protocol == "https" || service.protocol == "grpcs" || service.protocol == "tls";
}

}  // namespace

Result<std::shared_ptr<const Certificate>> Cache::certificate(const config::Certificate& entity) {
  std::string digest = Certificate::digest_of(entity);
  if (const auto found = certificates_.find(digest); found != certificates_.end())
    if (auto kept = found->second.lock()) return kept;
  auto parsed = Certificate::parse(entity);
  if (parsed.ok()) certificates_[std::move(digest)] = parsed.value();
  return parsed;
}

Result<std::shared_ptr<const TrustStore>> Cache::trust_store(
    std::span<const config::CaCertificate* const> authorities) {
  std::string digest = TrustStore::digest_of(authorities);
  if (const auto found = trust_stores_.find(digest); found != trust_stores_.end())
    if (auto kept = found->second.lock()) return kept;
  auto made = TrustStore::make(authorities);
  if (made.ok()) trust_stores_[std::move(digest)] = made.value();
  return made;
}

void Cache::prune() {
  std::erase_if(certificates_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(trust_stores_, [](const auto& entry) { return entry.second.expired(); });
}

std::unique_ptr<const Certificates> Certificates::build(const config::Snapshot& snapshot, Cache& cache,
                                                        std::vector<Error>* problems) {
  auto made = std::make_unique<Certificates>();
  ById certificates;
  for (const config::Certificate& entity : snapshot.certificates) {
    auto certificate = cache.certificate(entity);
    if (certificate.ok()) {
      certificates.emplace(entity.id, std::move(certificate).value());
    } else if (problems != nullptr) {
      problems->push_back(
          {"certificate " + entity.id + " is left out: " + certificate.error().message, "certificates"});
    }
  }
  made->add_names(snapshot, certificates);
  made->add_upstreams(snapshot, certificates, cache, problems);
  cache.prune();
  return made;
}

void Certificates::add_names(const config::Snapshot& snapshot, const ById& certificates) {
  names_.reserve(snapshot.snis.size());
  for (const config::Sni& sni : snapshot.snis) {
    const auto found = certificates.find(sni.certificate_id);
    if (found != certificates.end()) names_.emplace(ascii_lower(std::string_view(sni.name)), found->second);
  }
}

void Certificates::add_upstreams(const config::Snapshot& snapshot, const ById& certificates, Cache& cache,
                                 std::vector<Error>* problems) {
  std::unordered_map<std::string_view, const config::CaCertificate*> authorities;
  for (const config::CaCertificate& authority : snapshot.ca_certificates)
    authorities.emplace(authority.id, &authority);
  std::unordered_map<std::string_view, const config::Upstream*> upstreams;
  for (const config::Upstream& upstream : snapshot.upstreams) upstreams.emplace(upstream.name, &upstream);
  const auto report = [problems](const config::Service& service, const std::string& what) {
    if (problems != nullptr) problems->push_back({"service " + service.id + ": " + what, "services"});
  };

  upstreams_.resize(snapshot.services.size());
  for (std::size_t i = 0; i < snapshot.services.size(); ++i) {
    const config::Service& service = snapshot.services[i];
    if (!speaks_tls(service)) continue;
    UpstreamSecurity& security = upstreams_[i];
    std::string_view client = service.client_certificate_id;
    if (const auto found = upstreams.find(service.host); client.empty() && found != upstreams.end())
      client = found->second->client_certificate_id;
    if (const auto found = certificates.find(client); found != certificates.end()) {
      security.client = found->second;
    } else if (!client.empty()) {
      report(service,
             "goes without its client certificate " + std::string(client) + ", which cannot be used");
    }
    if (!service.ca_certificates.empty()) {
      std::vector<const config::CaCertificate*> trusted;
      for (const std::string& id : service.ca_certificates) {
        if (const auto found = authorities.find(id); found != authorities.end())
          trusted.push_back(found->second);
        else
          report(service, "CA certificate " + id + " does not exist");
      }
      std::ranges::sort(trusted, {}, &config::CaCertificate::id);
      auto store = cache.trust_store(trusted);
      if (!store.ok()) {
        report(service, "trusts no upstream: " + store.error().message);
        store = cache.trust_store({});
      }
      if (store.ok()) security.trust = std::move(store).value();
    }
    security.digest = content_digest({security.client != nullptr ? security.client->digest() : std::string(),
                                      security.trust != nullptr ? security.trust->digest() : std::string()});
  }
}

const Certificate* Certificates::for_server_name(std::string_view name) const noexcept {
  if (names_.empty() || name.empty() || name.size() > kMaxName) return nullptr;
  // The name in lower case, with room for a star before and behind it.
  char buffer[kMaxName + 2];
  for (std::size_t i = 0; i < name.size(); ++i) buffer[i + 1] = ascii_lower(name[i]);
  const std::string_view exact(buffer + 1, name.size());
  const auto find = [this](std::string_view text) -> const Certificate* {
    const auto found = names_.find(text);
    return found == names_.end() ? nullptr : found->second.get();
  };
  if (const Certificate* certificate = find(exact)) return certificate;

  const std::size_t first = exact.find('.'), last = exact.rfind('.');
  if (first != std::string_view::npos && exact.find('*') == std::string_view::npos) {
    // As Kong's patterns have it: no empty label beside the dots.
    const std::size_t second = exact.find('.', first + 1);
    if (first > 0 && second != std::string_view::npos && second > first + 1 && second + 1 < exact.size()) {
      const char kept = std::exchange(buffer[first], '*');
      const Certificate* certificate = find({buffer + first, exact.size() - first + 1});
      buffer[first] = kept;
      if (certificate != nullptr) return certificate;
    }
    if (last > 0 && exact[last - 1] != '.' && last + 1 < exact.size()) {
      buffer[last + 2] = '*';  // The label behind it is not needed any more.
      if (const Certificate* certificate = find({buffer + 1, last + 2})) return certificate;
    }
  }
  return find("*");
}

}  // namespace gibbon::gateway::tls
