#include "gateway/router/router.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>

#include "gateway/router/candidates.hpp"
#include "gateway/router/conditions.hpp"
#include "gateway/router/host_table.hpp"
#include "gateway/router/path.hpp"
#include "gateway/router/path_tree.hpp"
#include "gateway/router/pattern.hpp"

namespace gibbon::gateway {
namespace {

/// Kinds of attributes, and what counts inside a kind, as bits: a greater number goes first.
enum Kind : std::uint32_t { kHost = 64, kHeader = 32, kPath = 16, kMethod = 8, kSni = 4, kSource = 2, kDestination = 1 };
enum Weight : std::uint32_t { kPlainHostAndPort = 8, kWildcardHostAndPort = 4, kPlainHostsOnly = 2, kRegexPath = 1 };
enum Protocol : std::uint8_t { kHttp = 1, kHttps = 2, kGrpc = 4, kGrpcs = 8 };

/// How many lists of regex entries wait until the cheap entries have set a bound; more are tried at once.
constexpr std::size_t kMaxPending = 64;

/// A route by one of its paths. Its index is its rank: of those that match, the lowest wins.
struct Entry {
  std::uint32_t route = 0, service = kNone;
  std::uint32_t path_length = 0;      ///< Of a plain path; 0: the route has no paths, or this is a regex.
  std::uint32_t pattern = kNone;      ///< Of a regex path.
  std::uint32_t conditions = kNone;   ///< kNone: there are none.
  std::uint8_t protocols = 0;
  enum class Over : std::uint8_t { kAny, kTls, kPlain } over = Over::kAny;
};

/// An Entry on its way to its rank.
struct Draft {
  Entry entry;
  std::uint32_t kinds = 0, weight = 0, header_count = 0;
  std::uint32_t snis_ignored = 0;     ///< 1: the route names SNIs, which do not count without TLS.
  std::int64_t regex_priority = 0, created_at = 0;
  std::string prefix;                 ///< What every path that matches begins with.
  std::vector<std::string> literals;  ///< What it holds besides: of a regex.
  std::vector<std::uint32_t> buckets;

  /// A lesser one goes first.
  using Order = std::array<std::int64_t, 8>;
  [[nodiscard]] Order order() const {
    return {-std::int64_t{std::popcount(kinds)}, -std::int64_t{kinds}, snis_ignored, -std::int64_t{weight},
            -std::int64_t{header_count}, -regex_priority, -std::int64_t{entry.path_length}, created_at};
  }
};

std::uint8_t protocol_bits(const config::Route& route) {
  std::uint8_t bits = 0;
  for (const std::string& protocol : route.protocols) {
    bits |= protocol == "http" ? kHttp : protocol == "https" ? kHttps : protocol == "grpc" ? kGrpc
            : protocol == "grpcs" ? kGrpcs : 0;
  }
  return bits;
}

Outcome outcome_of(std::uint8_t protocols, const MatchInput& input) {
  const bool https = (input.forwarded_scheme.empty() ? input.scheme : input.forwarded_scheme) == "https";
  if ((protocols & kHttps) != 0 && (protocols & kHttp) == 0 && !https) return Outcome::kHttpsRequired;
  if ((protocols & (kGrpc | kGrpcs)) == 0) return Outcome::kServe;
  if (!input.grpc) return Outcome::kGrpcRequired;
  if (input.http_major != 2) return Outcome::kHttp2Required;
  return (protocols & kGrpc) == 0 && !https ? Outcome::kGrpcsRequired : Outcome::kServe;
}

}  // namespace

struct Router::Tables {
  std::vector<Entry> entries;
  std::vector<Conditions> conditions;
  std::vector<Pattern> patterns;
  CandidateLists lists;
  PathForest paths;
  HostTable hosts;
  std::vector<std::uint32_t> roots;   ///< By bucket: the tree of its paths. Bucket 0: routes without hosts.
  PatternScratch scratch{Match::kMaxCaptures};
};

namespace {

/// Turns routes into drafts; what cannot be compiled becomes a problem.
class Compiler {
 public:
  Compiler(HostTable& hosts, std::vector<Conditions>& conditions, std::vector<Pattern>& patterns)
      : hosts_(hosts), conditions_(conditions), patterns_(patterns) {}

  std::vector<Draft> drafts;
  std::uint32_t bucket_count = 1;

  struct Path {
    std::string prefix;
    std::vector<std::string> literals;
    std::optional<Pattern> pattern;
  };
  using Paths = std::vector<Path>;

  Status add(const config::Route& route, std::uint32_t index, std::uint32_t service) {
    Draft draft;
    draft.entry.route = index;
    draft.entry.service = service;
    draft.entry.protocols = protocol_bits(route);
    draft.created_at = route.created_at;

    std::vector<HostPattern> hosts;
    for (const std::string& host : route.hosts) {
      Result<HostPattern> pattern = HostPattern::parse(host);
      if (!pattern) return pattern.error();
      const bool wildcard = pattern->kind != HostPattern::Kind::kPlain;
      if (wildcard && pattern->port != 0) draft.weight |= kWildcardHostAndPort;
      hosts.push_back(std::move(pattern).value());
    }
    if (!hosts.empty()) draft.kinds |= kHost;
    const bool plain_only = std::all_of(hosts.begin(), hosts.end(),
                                        [](const HostPattern& h) { return h.kind == HostPattern::Kind::kPlain; });
    if (!hosts.empty() && plain_only) draft.weight |= kPlainHostsOnly;

    Paths paths;
    for (const std::string& path : route.paths) {
      if (!path.starts_with('~')) {
        std::string buffer;
        paths.push_back({std::string(normalize_path(path, buffer)), {}, std::nullopt});
        continue;
      }
      const std::string_view text = std::string_view(path).substr(1);
      Result<Pattern> pattern = Pattern::compile(text, Pattern::Kind::kPath);
      if (!pattern) return Error{pattern.error().message, "paths"};
      paths.push_back({literal_prefix(text), required_literals(text), std::move(pattern).value()});
    }
    if (!paths.empty()) draft.kinds |= kPath;

    Result<Conditions> conditions = Conditions::of(route);
    if (!conditions) return conditions.error();
    if (!conditions->headers.empty()) draft.kinds |= kHeader;
    if (!conditions->methods.empty()) draft.kinds |= kMethod;
    if (!conditions->snis.empty()) draft.kinds |= kSni;
    if (!conditions->sources.empty()) draft.kinds |= kSource;
    if (!conditions->destinations.empty()) draft.kinds |= kDestination;
    draft.header_count = static_cast<std::uint32_t>(conditions->headers.size());
    if (draft.kinds == 0) {
      return Error{"it names nothing to match: expected one of methods, hosts, headers, paths, snis", ""};
    }
    if (!conditions->empty()) {
      draft.entry.conditions = static_cast<std::uint32_t>(conditions_.size());
      conditions_.push_back(std::move(conditions).value());
    }
    split_by_hosts(draft, hosts, route, std::move(paths));
    return {};
  }

 private:

  /// A plain host that names the request's port outranks the route's other hosts: two drafts then.
  void split_by_hosts(const Draft& draft, const std::vector<HostPattern>& hosts, const config::Route& route,
                      Paths paths) {
    std::vector<std::uint32_t> with_port, others;
    for (const HostPattern& host : hosts) {
      const std::uint32_t bucket = hosts_.insert(host, bucket_count);
      if (bucket == bucket_count) ++bucket_count;
      (host.kind == HostPattern::Kind::kPlain && host.port != 0 ? with_port : others).push_back(bucket);
    }
    if (hosts.empty()) others.push_back(0);
    if (paths.empty()) paths.emplace_back();
    for (auto& [prefix, literals, pattern] : paths) {
      Draft one = draft;
      one.prefix = prefix;
      one.literals = std::move(literals);
      if (pattern) {
        one.entry.pattern = static_cast<std::uint32_t>(patterns_.size());
        patterns_.push_back(std::move(*pattern));
        one.weight |= kRegexPath;
        one.regex_priority = route.regex_priority;
      } else {
        one.entry.path_length = static_cast<std::uint32_t>(prefix.size());
      }
      for (const auto& [buckets, weight] : {std::pair{&with_port, kPlainHostAndPort}, {&others, Weight{}}}) {
        if (buckets->empty()) continue;
        one.weight = (one.weight & ~static_cast<std::uint32_t>(kPlainHostAndPort)) | weight;
        one.buckets = *buckets;
        split_by_tls(one);
      }
    }
  }

  /// SNIs do not count without TLS: there the route ranks behind those that are like it and name none.
  void split_by_tls(Draft draft) {
    if ((draft.kinds & kSni) != 0) {
      draft.entry.over = Entry::Over::kTls;
      drafts.push_back(draft);
      draft.entry.over = Entry::Over::kPlain;
      draft.kinds &= ~static_cast<std::uint32_t>(kSni);
      draft.snis_ignored = 1;
    }
    drafts.push_back(std::move(draft));
  }

  HostTable& hosts_;
  std::vector<Conditions>& conditions_;
  std::vector<Pattern>& patterns_;
};

/// Keeps the groups of the last match, which has found `found` of them, the whole included.
void keep_captures(const Pattern& pattern, std::uint32_t found, const PatternScratch& scratch, Match& match) noexcept {
  match.capture_count = std::min<std::uint32_t>(pattern.groups(), Match::kMaxCaptures);
  for (std::uint32_t i = 0; i < match.capture_count; ++i) {
    const std::size_t* group = Pattern::group(scratch, i + 1);
    const bool set = i + 1 < found && group[0] != SIZE_MAX && group[0] <= group[1];
    match.captures[i] = set ? Match::Capture{static_cast<std::uint32_t>(group[0]),
                                             static_cast<std::uint32_t>(group[1] - group[0])}
                            : Match::Capture{kNone, 0};
  }
}

/// The search for one request's route.
class Search {
 public:
  Search(const std::vector<Entry>& entries, const std::vector<Conditions>& conditions,
         const std::vector<Pattern>& patterns, const CandidateLists& lists, const PatternScratch& scratch,
         const MatchInput& input, Match& match)
      : entries_(entries), conditions_(conditions), patterns_(patterns), lists_(lists), scratch_(scratch),
        input_(input), match_(match) {}

  void visit(const PathForest::Lists& lists) noexcept {
    if (lists.plain != kNone) try_list(lists.plain);
    if (lists.regex == kNone) return;
    if (pending_count_ < kMaxPending) {
      pending_[pending_count_++] = lists.regex;
    } else {
      try_list(lists.regex);
    }
  }

  bool finish() noexcept {
    for (std::size_t i = 0; i < pending_count_; ++i) try_list(pending_[i]);
    if (best_ == kNone) return false;
    const Entry& entry = entries_[best_];
    match_.route = entry.route;
    match_.service = entry.service;
    match_.outcome = outcome_of(entry.protocols, input_);
    match_.pattern = entry.pattern;
    if (entry.pattern == kNone) {
      match_.matched_length = entry.path_length;
      match_.capture_count = 0;
    }
    return true;
  }

 private:
  void try_list(std::uint32_t list) noexcept {
    lists_.each(list, input_, [this](std::span<const std::uint32_t> ranks) {
      for (const std::uint32_t rank : ranks) {
        if (rank >= best_) return;
        if (matches(entries_[rank])) {
          best_ = rank;
          return;
        }
      }
    });
  }

  bool matches(const Entry& entry) noexcept {
    if (entry.over != Entry::Over::kAny && (entry.over == Entry::Over::kPlain) != (input_.scheme == "http")) return false;
    if (entry.conditions != kNone && !conditions_[entry.conditions].hold(input_, scratch_)) return false;
    if (entry.pattern == kNone) return true;
    const Pattern& pattern = patterns_[entry.pattern];
    const std::uint32_t found = pattern.match(input_.path, scratch_);
    if (found == 0) return false;
    match_.matched_length = static_cast<std::uint32_t>(pattern.covered(scratch_));
    keep_captures(pattern, found, scratch_, match_);
    return true;
  }

  const std::vector<Entry>& entries_;
  const std::vector<Conditions>& conditions_;
  const std::vector<Pattern>& patterns_;
  const CandidateLists& lists_;
  const PatternScratch& scratch_;
  const MatchInput& input_;
  Match& match_;
  std::uint32_t best_ = kNone;
  std::uint32_t pending_count_ = 0;
  std::array<std::uint32_t, kMaxPending> pending_;
};

}  // namespace

Router::Router(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Router Router::build(std::span<const config::Route> routes, std::span<const config::Service> services,
                     std::vector<Error>* problems) {
  auto tables = std::make_unique<Tables>();
  Compiler compiler(tables->hosts, tables->conditions, tables->patterns);
  std::unordered_map<std::string_view, std::uint32_t> service_index;
  for (std::uint32_t i = 0; i < services.size(); ++i) service_index.emplace(services[i].id, i);
  for (std::uint32_t i = 0; i < routes.size(); ++i) {
    const config::Route& route = routes[i];
    const auto service = service_index.find(route.service_id);
    const bool has_service = !route.service_id.empty() && service != service_index.end();
    if (has_service && !services[service->second].enabled) continue;
    const Status added = compiler.add(route, i, has_service ? service->second : kNone);
    if (!added && problems != nullptr) {
      const std::string& name = route.name.empty() ? route.id : route.name;
      problems->push_back({"route '" + name + "' is left out: " + added.error().message, added.error().field});
    }
  }

  const std::vector<Draft>& drafts = compiler.drafts;
  std::vector<std::pair<Draft::Order, std::uint32_t>> order;
  order.reserve(drafts.size());
  for (const Draft& draft : drafts) order.emplace_back(draft.order(), static_cast<std::uint32_t>(order.size()));
  std::sort(order.begin(), order.end());  // The number breaks ties: what came first stays first.
  struct Lists { std::vector<std::uint32_t> plain, regex; };
  std::vector<std::map<std::string_view, Lists>> buckets(compiler.bucket_count);
  tables->entries.reserve(drafts.size());
  for (std::uint32_t rank = 0; rank < drafts.size(); ++rank) {
    const Draft& draft = drafts[order[rank].second];
    tables->entries.push_back(draft.entry);
    for (const std::uint32_t bucket : draft.buckets) {
      Lists& lists = buckets[bucket][draft.prefix];
      (draft.entry.pattern == kNone ? lists.plain : lists.regex).push_back(rank);
    }
  }

  const auto demands_of = [&](std::uint32_t rank) -> CandidateLists::Demands {
    const std::uint32_t index = tables->entries[rank].conditions;
    return {index == kNone ? nullptr : &tables->conditions[index], drafts[order[rank].second].literals};
  };
  for (auto& bucket : buckets) {
    std::vector<PathForest::Item> items;
    items.reserve(bucket.size());
    for (auto& [prefix, lists] : bucket) {
      PathForest::Item item{std::string(prefix), {}};
      if (!lists.plain.empty()) item.lists.plain = tables->lists.add(std::move(lists.plain), demands_of);
      if (!lists.regex.empty()) item.lists.regex = tables->lists.add(std::move(lists.regex), demands_of);
      items.push_back(std::move(item));
    }
    tables->roots.push_back(tables->paths.add(std::move(items)));
  }
  return Router(std::move(tables));
}

bool Router::match(const MatchInput& input, Match* match) const noexcept {
  const Tables& t = *tables_;
  Search search(t.entries, t.conditions, t.patterns, t.lists, t.scratch, input, *match);
  const auto visit = [&search](const PathForest::Lists& lists) { search.visit(lists); };
  const std::uint16_t port = input.port != 0 ? input.port : input.scheme == "https" ? 443 : 80;
  if (!input.host.empty()) {
    t.hosts.each(input.host, port, [&](std::uint32_t bucket) { t.paths.walk(t.roots[bucket], input.path, visit); });
  }
  t.paths.walk(t.roots[0], input.path, visit);
  return search.finish();
}

bool Router::find_captures(std::uint32_t index, std::string_view path, Match* match,
                           Match::Capture* whole) const noexcept {
  const Pattern& pattern = tables_->patterns[index];
  const PatternScratch& scratch = tables_->scratch;
  const std::uint32_t found = pattern.match(path, scratch);
  if (found == 0 || pattern.groups() == 0) return false;
  match->pattern = index;
  keep_captures(pattern, found, scratch, *match);
  const std::size_t covered = pattern.covered(scratch);
  *whole = {0, static_cast<std::uint32_t>(covered > 0 ? covered : Pattern::group(scratch, 0)[1])};
  return true;
}

std::string_view Router::capture_name(const Match& match, std::uint32_t index) const noexcept {
  if (match.pattern == kNone) return {};
  const Pattern& pattern = tables_->patterns[match.pattern];
  return index < pattern.groups() ? std::string_view(pattern.name(index)) : std::string_view();
}

}  // namespace gibbon::gateway
