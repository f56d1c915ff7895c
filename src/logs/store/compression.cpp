#include "logs/store/compression.hpp"

#include <algorithm>

namespace gibbon::logs {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kSamples = 24;
constexpr std::size_t kSampleBytes = 4096;
constexpr std::uint64_t kFirstDictionary = 64;     ///< Entries before the first one.
constexpr std::uint64_t kNextDictionary = 20'000;  ///< Entries between two.
constexpr double kAverage = 1.0 / 256;
constexpr double kWorse = 1.5;

}  // namespace

EntryCompressor::EntryCompressor() : context_(ZSTD_createCCtx()) { use_dictionary({}); }

void EntryCompressor::use_dictionary(std::string_view dictionary) {
  ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  dictionary_.reset(dictionary.empty() ? nullptr : ZSTD_createCDict(dictionary.data(), dictionary.size(), kLevel));
  ZSTD_CCtx_refCDict(context_.get(), dictionary_.get());
}

std::string_view EntryCompressor::compress(std::string_view text) {
  const std::size_t bound = ZSTD_compressBound(text.size());
  if (buffer_.size() < bound) buffer_.resize(bound);
  const std::size_t size = ZSTD_compress2(context_.get(), buffer_.data(), buffer_.size(), text.data(), text.size());
  if (ZSTD_isError(size) != 0) return {};
  return {buffer_.data(), size};
}

EntryDecompressor::EntryDecompressor() : context_(ZSTD_createDCtx()) {}

EntryDecompressor::Dictionary EntryDecompressor::load(std::string_view dictionary) {
  return Dictionary(ZSTD_createDDict(dictionary.data(), dictionary.size()));
}

bool EntryDecompressor::decompress(std::string_view bytes, const ZSTD_DDict* dictionary, std::string* text) {
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > (1ULL << 31)) return false;
  text->resize(size);
  return ZSTD_decompress_usingDDict(context_.get(), text->data(), size, bytes.data(), bytes.size(), dictionary) == size;
}

void DictionaryTrainer::note(std::string_view text, std::size_t compressed_bytes) {
  const double ratio = static_cast<double>(compressed_bytes) / static_cast<double>(std::max<std::size_t>(1, text.size()));
  ratio_ = since_ == 0 ? ratio : ratio_ + (ratio - ratio_) * kAverage;
  if (++since_ >= 1 / kAverage) best_ = best_ == 0 ? ratio_ : std::min(best_, ratio_);
  // Samples are rare once there are enough of them: copying each entry would cost more than it brings.
  if (samples_.size() == kSamples && since_ % 61 != 0) return;
  text = text.substr(0, kSampleBytes);
  if (samples_.size() < kSamples) {
    samples_.emplace_back(text);
  } else {
    samples_[next_sample_++ % kSamples].assign(text);
  }
}

bool DictionaryTrainer::due() const {
  if (!has_dictionary_) return since_ >= kFirstDictionary;
  return since_ >= kNextDictionary && best_ > 0 && ratio_ > best_ * kWorse;
}

std::string DictionaryTrainer::make() {
  std::string dictionary;
  for (const auto& sample : samples_) dictionary += sample;
  adopt();
  return dictionary;
}

void DictionaryTrainer::adopt() {
  since_ = 0;
  best_ = 0;
  has_dictionary_ = true;
}

}  // namespace gibbon::logs
