#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/stream.hpp"

namespace gibbon::nginx {

/// What the connections of plugins share in a worker: the ones that are kept, and the client side of TLS.
/// Event thread.
class Sockets {
 public:
  explicit Sockets(const MainConf& conf) : conf_(conf) {}
  Sockets(const Sockets&) = delete;

  /// The one that was kept last by this key; null where there is none.
  std::shared_ptr<Stream> take(const std::string& key);
  /// For at most `idle`; where `most` are kept by this key already, the oldest gives way.
  void keep(const std::string& key, std::shared_ptr<Stream> stream, std::size_t most, ngx_msec_t idle);
  /// Made at its first use. Throws WaitError where it cannot be.
  OutgoingTls& tls();

 private:
  using Kept = std::list<std::shared_ptr<Stream>>;
  void drop(const std::string& key, const Stream* stream);

  const MainConf& conf_;
  std::unique_ptr<OutgoingTls> tls_;  // Before the streams, which use it.
  std::unordered_map<std::string, Kept> kept_;
};

}  // namespace gibbon::nginx
