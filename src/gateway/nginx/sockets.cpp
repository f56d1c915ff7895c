#include "gateway/nginx/sockets.hpp"

namespace gibbon::nginx {

std::shared_ptr<Stream> Sockets::take(const std::string& key) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  std::shared_ptr<Stream> stream;
  while (stream == nullptr && !found->second.empty()) {
    stream = std::move(found->second.back());
    found->second.pop_back();
    if (!stream->wake()) stream = nullptr;
  }
  if (found->second.empty()) kept_.erase(found);
  return stream;
}

void Sockets::keep(const std::string& key, std::shared_ptr<Stream> stream, std::size_t most, ngx_msec_t idle) {
  if (most == 0 || idle == 0 || ngx_exiting) return;
  Kept& kept = kept_[key];
  while (kept.size() >= most) kept.pop_front();
  Stream& resting = *kept.emplace_back(std::move(stream));
  resting.rest(idle, [this, key, which = &resting] { drop(key, which); });
}

void Sockets::drop(const std::string& key, const Stream* stream) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return;
  std::erase_if(found->second, [stream](const auto& kept) { return kept.get() == stream; });
  if (found->second.empty()) kept_.erase(found);
}

OutgoingTls& Sockets::tls() {
  if (tls_ == nullptr) tls_ = OutgoingTls::make(conf_.trusted_certificates, {}, {}, ngx_cycle->log);
  if (tls_ == nullptr) throw WaitError(WaitError::Kind::kTls, "no TLS connection can be made");
  return *tls_;
}

}  // namespace gibbon::nginx
