#include "gateway/nginx/names.hpp"

#include <algorithm>
#include <map>

namespace gibbon::nginx {
namespace {

/// How long an answer from the hosts file is used before the file is looked at again, in seconds.
constexpr time_t kHostsFileValid = 1;
/// nginx's own, where the `http` block sets none, in milliseconds.
constexpr ngx_msec_t kResolverTimeout = 30000;

/// Kept by the process; in a worker, on the event thread: files are looked at again at most once a second.
gateway::HostsFile& hosts_file_at(const std::string& path) {
  static auto& files = *new std::map<std::string, gateway::HostsFile>;
  return files.try_emplace(path, path).first->second;
}

const gateway::ResolverConfig& resolver_config(const std::string& path) {
  static auto& configs = *new std::map<std::string, gateway::ResolverConfig>;
  auto found = configs.find(path);
  if (found == configs.end()) found = configs.emplace(path, gateway::ResolverConfig::load(path)).first;
  return found->second;
}

/// The settings of the `http` block.
ngx_http_core_loc_conf_t* core_conf() {
  auto* http = reinterpret_cast<ngx_http_conf_ctx_t*>(ngx_get_conf(ngx_cycle->conf_ctx, ngx_http_module));
  return static_cast<ngx_http_core_loc_conf_t*>(http->loc_conf[ngx_http_core_module.ctx_index]);
}

std::optional<gateway::Address> address_of(const sockaddr* from) {
  gateway::Address address;
  address.family = from->sa_family;
  if (from->sa_family == AF_INET) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
  } else {
    return std::nullopt;
  }
  return address;
}

/// Kong's words for what a name server says.
std::string problem_text(ngx_int_t code) {
  switch (code) {
    case NGX_RESOLVE_FORMERR:
      return "dns server error: 1 format error";
    case NGX_RESOLVE_SERVFAIL:
      return "dns server error: 2 server failure";
    case NGX_RESOLVE_NXDOMAIN:
      return "dns server error: 3 name error";
    case NGX_RESOLVE_NOTIMP:
      return "dns server error: 4 not implemented";
    case NGX_RESOLVE_REFUSED:
      return "dns server error: 5 refused";
    case NGX_RESOLVE_TIMEDOUT:
      return "dns client error: no name server answered in time";
    default:
      return "dns client error: no name server could be asked";
  }
}

}  // namespace

void read_resolver_files(const std::string& hosts_file, const std::string& resolv_conf) {
  hosts_file_at(hosts_file).refresh();
  resolver_config(resolv_conf);
}

std::shared_ptr<Name> Names::find(const std::string& host) {
  std::shared_ptr<Name>& name = names_[host];
  if (name == nullptr) name = std::make_shared<Name>(host, conf_, log_);
  return name;
}

void Names::sweep() {
  std::erase_if(names_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

Name::Name(std::string host, MainConf& conf, ngx_log_t* log)
    : host_(std::move(host)), conf_(conf), log_(log) {
  candidates_ = resolver_config(conf.resolv_conf).candidates(host_);
}

Name::~Name() {
  if (question_ != nullptr) ngx_resolve_name_done(question_);
}

void Name::refresh(time_t now) {
  if (asking_ || now < valid_until_ || ask_hosts_file(now)) return;
  asking_ = true;
  problem_ = 0;
  steps_.clear();
  const bool address_first =
      conf_.dns_order.address_first || (conf_.dns_order.last_first && last_ == Record::kAddress);
  for (std::size_t i = candidates_.size(); i-- > 0;) {
    if (!address_first) steps_.emplace_back(i, Record::kAddress);
    if (conf_.dns_order.srv) steps_.emplace_back(i, Record::kSrv);
    if (address_first) steps_.emplace_back(i, Record::kAddress);
  }
  ask_resolver();
}

bool Name::ask_hosts_file(time_t now) {
  gateway::HostsFile& file = hosts_file_at(conf_.hosts_file);
  static time_t refreshed = 0;
  if (refreshed != now) file.refresh();
  refreshed = now;
  const std::vector<gateway::Address>* found = file.find(host_);
  if (found == nullptr) return false;
  gateway::HostAnswer answer;
  answer.kind =
      found->front().family == AF_INET6 ? gateway::HostAnswer::Kind::kAaaa : gateway::HostAnswer::Kind::kA;
  for (const gateway::Address& address : *found) answer.endpoints.push_back({address, 0, std::nullopt, {}});
  answered_at_ = now;
  finish(std::move(answer), now + kHostsFileValid);
  return true;
}

void Name::ask_resolver() {
  while (asking_ && question_ == nullptr) {
    if (steps_.empty()) return fail();
    const auto [candidate, record] = steps_.back();
    steps_.pop_back();
    if (!start_question(record, candidates_[candidate])) return fail();
  }
}

/// False where the resolver cannot ask at all. What it cannot ask for (an SRV record of a name of less than
/// three labels) is passed over.
bool Name::start_question(Record record, const std::string& name) {
  const std::size_t last_dot = name.rfind('.');
  // nginx joins service and name by a dot, and takes a service without one for "_service._tcp".
  const bool askable =
      record == Record::kAddress || (last_dot != std::string::npos && name.find('.') != last_dot);
  if (!askable) return true;
  ngx_http_core_loc_conf_t* core = core_conf();
  ngx_resolver_ctx_t* rctx = core->resolver == nullptr ? nullptr : ngx_resolve_start(core->resolver, nullptr);
  if (rctx == nullptr || rctx == NGX_NO_RESOLVER) return false;
  const std::string_view whole = name;
  rctx->name = str(record == Record::kSrv ? whole.substr(last_dot + 1) : whole);
  if (record == Record::kSrv) rctx->service = str(whole.substr(0, last_dot));
  rctx->handler = resolved;
  rctx->data = this;
  rctx->timeout = core->resolver_timeout == NGX_CONF_UNSET_MSEC ? kResolverTimeout : core->resolver_timeout;
  rctx->cancelable = 1;  // A worker that shuts down does not wait for it.
  question_ = rctx;
  in_call_ = true;
  const ngx_int_t rc = ngx_resolve_name(rctx);
  in_call_ = false;
  if (rc == NGX_OK) return true;
  question_ = nullptr;  // It freed what it was given.
  return false;
}

void Name::resolved(ngx_resolver_ctx_t* rctx) noexcept {
  auto* name = static_cast<Name*>(rctx->data);
  try {
    name->take(rctx);
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, name->log_, 0, "gibbon: resolving %s: %s", name->host_.c_str(), e.what());
  }
}

void Name::take(ngx_resolver_ctx_t* rctx) {
  const bool srv = rctx->service.len > 0;
  const ngx_int_t state = rctx->state;
  gateway::HostAnswer answer;
  u_short priority = 0xffff;
  for (ngx_uint_t i = 0; state == NGX_OK && srv && i < rctx->naddrs; ++i)
    priority = std::min(priority, rctx->addrs[i].priority);
  for (ngx_uint_t i = 0; state == NGX_OK && i < rctx->naddrs; ++i) {
    const ngx_resolver_addr_t& from = rctx->addrs[i];
    const auto address = address_of(from.sockaddr);
    if (!address || (srv && from.priority != priority)) continue;
    gateway::HostAnswer::Endpoint endpoint{*address, 0, std::nullopt, {}};
    if (srv) {
      endpoint.port = ngx_inet_get_port(from.sockaddr);
      endpoint.weight = from.weight;
      endpoint.name = view(from.name);
    }
    answer.endpoints.push_back(std::move(endpoint));
  }
  const time_t valid = rctx->valid;
  ngx_resolve_name_done(rctx);
  question_ = nullptr;
  if (!answer.endpoints.empty()) {
    using Kind = gateway::HostAnswer::Kind;
    answer.kind = srv                                                   ? Kind::kSrv
                  : answer.endpoints.front().address.family == AF_INET6 ? Kind::kAaaa
                                                                        : Kind::kA;
    last_ = srv ? Record::kSrv : Record::kAddress;
    answered_at_ = ngx_time();
    // nginx answers from its own cache up to that second.
    return finish(std::move(answer), std::max<time_t>(valid, answered_at_) + 1);
  }
  // A server that knows no SRV records may say so in many ways; the answer for addresses counts. One that
  // does not answer at all will not answer the next question either.
  if (state == NGX_RESOLVE_TIMEDOUT) {
    problem_ = state;
    steps_.clear();
  } else if (!srv || state == NGX_RESOLVE_NXDOMAIN) {
    if (problem_ == 0 || problem_ == NGX_RESOLVE_NXDOMAIN)
      problem_ = state == NGX_OK ? NGX_RESOLVE_NXDOMAIN : state;
  }
  if (!in_call_) ask_resolver();
}

void Name::fail() {
  const time_t now = ngx_time();
  gateway::HostAnswer answer;
  answer.kind = gateway::HostAnswer::Kind::kFailed;
  answer.error = problem_text(problem_ == 0 ? NGX_ERROR : problem_);
  const bool known = !answer_.endpoints.empty();
  ngx_log_error(NGX_LOG_WARN, log_, 0, "%s could not be resolved: %s%s", host_.c_str(), answer.error.c_str(),
                known && problem_ != NGX_RESOLVE_NXDOMAIN ? "; its last addresses are used" : "");
  if (known && problem_ != NGX_RESOLVE_NXDOMAIN && now - answered_at_ <= conf_.dns_stale_ttl) {
    return finish(gateway::HostAnswer(answer_), now + std::max<time_t>(1, conf_.dns_error_ttl));
  }
  finish(std::move(answer),
         now + std::max<time_t>(
                   1, problem_ == NGX_RESOLVE_NXDOMAIN ? conf_.dns_not_found_ttl : conf_.dns_error_ttl));
}

void Name::finish(gateway::HostAnswer answer, time_t valid_until) {
  asking_ = false;
  answer_ = std::move(answer);
  valid_until_ = valid_until;
  const std::vector<NameListener*> listeners = listeners_;
  for (NameListener* listener : listeners) listener->name_answered(*this);
}

}  // namespace gibbon::nginx
