#pragma once

#include <cstddef>
#include <cstdint>

namespace gibbon {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `size` bytes. `seed`: the checksum of what comes before them.
/// Threads: any.
std::uint32_t crc32c(const void* bytes, std::size_t size, std::uint32_t seed = 0) noexcept;

}  // namespace gibbon
