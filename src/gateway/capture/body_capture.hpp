#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gibbon::capture {

/// Where captured bytes live: nginx's request pool, or anything else that outlives the capture. Nothing is freed.
struct Arena {
  void* context = nullptr;
  void* (*allocate)(void* context, std::size_t bytes) = nullptr;  ///< Null where there is no memory.
};

/// The first bytes of a body that passes by, and how long the body really was.
/// It never asks for a byte of its own accord: what does not pass is not captured.
/// Threads: the event thread. Ownership: the bytes live in the arena.
class BodyCapture {
 public:
  /// Keeps at most `limit_bytes` from now on; the largest limit that was asked for counts.
  void want(std::size_t limit_bytes) { limit_ = std::max(limit_, limit_bytes); wanted_ = true; }

  /// How long the body will be, where that is known: one allocation then serves.
  void expect(std::uint64_t bytes) { expected_ = bytes; }

  /// Sees `bytes` pass: counts them, and copies what still fits.
  void append(std::string_view bytes, const Arena& arena) noexcept {
    size_ += bytes.size();
    const std::size_t n = std::min(bytes.size(), limit_ - kept_);
    if (n == 0) return;
    if (char* to = reserve(n, arena)) {
      std::memcpy(to, bytes.data(), n);
      kept_ += n;
    }
  }

  /// Counts bytes that passed without lying in memory.
  void count(std::uint64_t bytes) noexcept { size_ += bytes; }
  /// How many more bytes are wanted.
  [[nodiscard]] std::size_t room() const { return limit_ - kept_; }
  /// Space for `n` <= room() bytes; the caller fills it and calls keep(). Null where there is no memory.
  char* reserve(std::size_t n, const Arena& arena) noexcept {
    if (kept_ + n > capacity_ && !grow(kept_ + n, arena)) {
      limit_ = kept_;  // No memory: what follows is counted, not kept.
      return nullptr;
    }
    return data_ + kept_;
  }
  void keep(std::size_t n) noexcept { kept_ += n; }

  /// Overwrites what was kept of the bytes [begin, end) of the body.
  void overwrite(std::size_t begin, std::size_t end, char with) noexcept {
    if (begin < std::min(end, kept_)) std::memset(data_ + begin, with, std::min(end, kept_) - begin);
  }

  [[nodiscard]] bool wanted() const { return wanted_; }
  [[nodiscard]] std::string_view bytes() const { return {data_, kept_}; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  bool grow(std::size_t needed, const Arena& arena) noexcept {
    std::size_t capacity = std::max<std::size_t>(needed, std::max<std::size_t>(capacity_ * 2, 512));
    if (expected_ > needed) capacity = std::max<std::size_t>(capacity, expected_);
    capacity = std::min(capacity, limit_);
    auto* data = static_cast<char*>(arena.allocate(arena.context, capacity));
    if (data == nullptr) return false;
    if (kept_ > 0) std::memcpy(data, data_, kept_);
    data_ = data;
    capacity_ = capacity;
    return true;
  }

  char* data_ = nullptr;
  std::size_t kept_ = 0, capacity_ = 0, limit_ = 0;
  std::uint64_t size_ = 0, expected_ = 0;
  bool wanted_ = false;
};

}  // namespace gibbon::capture
