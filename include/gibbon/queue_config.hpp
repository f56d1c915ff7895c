#pragma once

#include <algorithm>
#include <cstdint>

#include "gibbon/config_view.hpp"
#include "gibbon/delivery.hpp"

namespace gibbon {

/// The `queue` of a plugin's configuration (typedefs::queue()), as its former fields say otherwise: `queue_size` and
/// `flush_timeout` count where they are set to anything but their former defaults, as in Kong.
inline Queue queue_of(const ConfigView& config) {
  const auto fields = config.record("queue");
  const auto whole = [](std::int64_t value) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 1, 1000000));
  };
  Queue queue;
  queue.max_batch_size = whole(fields->integer("max_batch_size", 1));
  queue.max_coalescing_delay = fields->number("max_coalescing_delay", 1);
  queue.max_entries = whole(fields->integer("max_entries", 10000));
  if (!fields->is_null("max_bytes"))
    queue.max_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, fields->integer("max_bytes")));
  queue.max_retry_time = fields->number("max_retry_time", 60);
  queue.initial_retry_delay = fields->number("initial_retry_delay", 0.01);
  queue.max_retry_delay = fields->number("max_retry_delay", 60);
  queue.concurrency_limit = static_cast<std::int32_t>(fields->integer("concurrency_limit", 1));
  if (!config.is_null("queue_size") && config.integer("queue_size") != 1)
    queue.max_batch_size = whole(config.integer("queue_size"));
  if (!config.is_null("flush_timeout") && config.number("flush_timeout") != 2)
    queue.max_coalescing_delay = std::clamp(config.number("flush_timeout"), 0.0, 3600.0);
  return queue;
}

}  // namespace gibbon
