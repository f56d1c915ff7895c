#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limits.hpp"

struct redisReader;

namespace rate_limiting {

/// Commands to one Redis server and their answers, over a connection of the kit's. Threads: the event thread.
class RedisConnection {
 public:
  RedisConnection();
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;

  /// Connects, and logs in where the connection is new. Throws WaitError, and std::runtime_error where Redis refuses.
  gibbon::Task<> open(gibbon::Exchange& exchange, const Redis& redis);
  /// Adds a command to those that go out with the next answers().
  void add(const std::vector<std::string>& words);
  /// Sends what was added, and gives the answers in their order: of integers the number, of others 0. Throws WaitError,
  /// and std::runtime_error where Redis answers with an error.
  gibbon::Task<std::vector<long long>> answers();
  /// Leaves the connection to the next one.
  void keep();

 private:
  std::unique_ptr<gibbon::Socket> socket_;
  redisReader* reader_;
  std::string out_;
  std::size_t waiting_ = 0;  ///< Commands without an answer.
};

}  // namespace rate_limiting
