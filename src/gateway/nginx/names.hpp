#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/balancer/hosts.hpp"
#include "gateway/balancer/peer.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/ngx.hpp"

namespace gibbon::nginx {

class Name;

/// Is told when a question about a name was answered, or could not be; also from within refresh(). Must not
/// run a request's phases.
class NameListener {
 public:
  virtual void name_answered(Name& name) = 0;

 protected:
  ~NameListener() = default;
};

/// One host name and what it stands for: the hosts file first, then nginx's resolver, with the search domains
/// of resolv.conf and the record types of dns_order. An answer is used until a newer one is there: requests
/// wait for the first one alone. While no name server answers, the last answer stays, as long as
/// dns_stale_ttl; a server that says that there is no such name is believed. Event thread.
class Name {
 public:
  Name(std::string host, MainConf& conf, ngx_log_t* log);
  ~Name();
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;

  [[nodiscard]] const gateway::HostAnswer& answer() const { return answer_; }
  /// A question is under way.
  [[nodiscard]] bool asking() const { return asking_; }
  /// Asks again where the answer has outlived its time and no question is under way.
  void refresh(time_t now);

  void listen(NameListener* listener) { listeners_.push_back(listener); }
  void unlisten(NameListener* listener) { std::erase(listeners_, listener); }

 private:
  enum class Record : std::uint8_t { kSrv, kAddress };
  static void resolved(ngx_resolver_ctx_t* rctx) noexcept;
  bool ask_hosts_file(time_t now);
  void ask_resolver();
  bool start_question(Record record, const std::string& name);
  void take(ngx_resolver_ctx_t* rctx);
  void fail();
  void finish(gateway::HostAnswer answer, time_t valid_until);

  std::string host_;
  MainConf& conf_;
  ngx_log_t* log_;
  std::vector<std::string> candidates_;
  std::vector<NameListener*> listeners_;

  gateway::HostAnswer answer_;
  time_t valid_until_ = 0;
  time_t answered_at_ = 0;      ///< When a server confirmed the answer last.
  Record last_ = Record::kSrv;  ///< Which kind of record answered: asked for first the next time.

  // The question under way.
  bool asking_ = false, in_call_ = false;
  std::vector<std::pair<std::size_t, Record>>
      steps_;  ///< Still to be asked for, the last first: candidate, record.
  ngx_resolver_ctx_t* question_ = nullptr;
  ngx_int_t problem_ = 0;  ///< The worst that a server said: no name (3), or something that may pass.
};

/// The names of this worker, each once. Event thread.
class Names {
 public:
  Names(MainConf& conf, ngx_log_t* log) : conf_(conf), log_(log) {}
  std::shared_ptr<Name> find(const std::string& host);
  /// Forgets names that nobody holds any more.
  void sweep();

 private:
  MainConf& conf_;
  ngx_log_t* log_;
  std::unordered_map<std::string, std::shared_ptr<Name>> names_;
};

/// Reads both files. The master calls it before it forks, since workers may not be allowed to.
void read_resolver_files(const std::string& hosts_file, const std::string& resolv_conf);

}  // namespace gibbon::nginx
