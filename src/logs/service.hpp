#pragma once

#include <atomic>
#include <memory>

#include "http/server.hpp"
#include "logs/logs.hpp"
#include "logs/query_thread.hpp"
#include "logs/tail.hpp"
#include "logs/web_files.hpp"
#include "logs/writer.hpp"

namespace gibbon::logs {

/// A running log service. Threads: those of the server take requests in; one writes, one queries, one streams.
class Service {
 public:
  /// Errors: the store cannot be opened, an address cannot be bound.
  static Result<std::unique_ptr<Service>> start(Options options);
  /// Answers what is under way, then closes the store.
  ~Service();

  [[nodiscard]] const std::vector<http::Listen>& listening() const { return server_->listening(); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

 private:
  explicit Service(Options options);

  void handle(http::Request& request, http::Responder responder);
  void take_entries(http::Request& request, http::Responder responder);
  void list(const http::Request& request, http::Responder responder);
  void find(std::string id, http::Responder responder);
  void stream(const http::Request& request, http::Responder responder);
  void query(QueryThread::Query query, std::shared_ptr<http::Responder> responder);
  [[nodiscard]] http::Response status() const;
  [[nodiscard]] http::Response metrics() const;

  const Options options_;
  const WebFiles web_files_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Tail> tail_;
  std::unique_ptr<QueryThread> queries_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<http::Server> server_;
  std::atomic<const http::Server*> counting_{nullptr};  ///< server_, for requests that come before it is set.
};

}  // namespace gibbon::logs
