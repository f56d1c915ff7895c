#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "http/server.hpp"

/// The log service: takes entries in, stores them, answers queries, streams new ones, and serves the web page.
/// docs/logs-api.md is its contract.
namespace gibbon::logs {

/// What an acknowledged entry survives, besides the death of the service, which it always survives.
enum class Durability {
  kNormal,  ///< The machine's crash or power loss may take the last commits (SQLite: synchronous=NORMAL).
  kFull     ///< It survives these too: every commit waits for the disk (synchronous=FULL).
};

struct Options {
  std::vector<http::Listen> listen = {{.host = "127.0.0.1", .port = 3000}};
  std::string data_directory;  ///< Made where it is missing. One service at a time.
  std::string web_directory;   ///< The page's files; empty or missing: a text says so at "/".
  std::string log_file;        ///< Appended to; empty: standard error.
  Durability durability = Durability::kNormal;
  std::uint64_t max_bytes = 10ULL << 30;       ///< The oldest entries go when the store is larger; 0: no limit.
  std::chrono::seconds max_age{0};             ///< Entries received longer ago go; 0: no limit.
  std::uint64_t max_body_bytes = 64ULL << 20;  ///< Of one POST; more is a 413.
  std::uint64_t queue_bytes = 256ULL << 20;    ///< Taken in and not yet stored; when full, POST answers 429.
  unsigned threads = 1;                        ///< That read requests; storing and querying have their own.
};

/// Runs the service in the foreground until SIGTERM, SIGINT or SIGQUIT. Returns the process's exit code: 0, or 1 when
/// it could not start, with the reason in the log and on standard error.
/// Threads: call it before the process has others, since it blocks these signals.
int run(const Options& options);

}  // namespace gibbon::logs
