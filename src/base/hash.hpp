#pragma once

#include <cstdint>
#include <string_view>

namespace gibbon {

/// Spreads the bits of `x` (the finaliser of SplitMix64).
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A hash that is the same in every process and build (FNV-1a, its bits spread). Not for secrets, nor against
/// somebody who looks for collisions. `seed`: the hash of what comes before.
constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix_bits(hash);
}

}  // namespace gibbon
