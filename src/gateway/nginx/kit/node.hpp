#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

/// Lines of the error log, in the name of the caller's plugin.
class LogAdapter final : public Log {
 public:
  explicit LogAdapter(const Caller& caller) : caller_(caller) {}
  void write(Level level, std::string_view message) override;

 private:
  const Caller& caller_;
};

/// The worker, as the caller's plugin sees it: see include/gibbon/node.hpp.
class NodeAdapter final : public Node, Counters, Metrics {
 public:
  explicit NodeAdapter(Caller& caller) : caller_(caller) {}
  [[nodiscard]] std::string_view id() const override;
  [[nodiscard]] std::string_view hostname() const override;
  [[nodiscard]] std::string_view version() const override;
  [[nodiscard]] std::uint32_t worker_id() const override;
  [[nodiscard]] std::int64_t now_ms() const override { return nginx::now_ms(); }
  Counters& counters() override { return *this; }
  Metrics& metrics() override { return *this; }
  void after(std::chrono::milliseconds delay, Work work) override;
  void every(std::chrono::milliseconds interval, Work work) override;

 private:
  std::int64_t increment(std::string_view key, std::int64_t by, std::chrono::seconds ttl) override;
  [[nodiscard]] std::int64_t get(std::string_view key) const override;
  void add(std::size_t family, std::span<const std::string_view> labels, double value) override;

  Caller& caller_;
};

}  // namespace gibbon::nginx
