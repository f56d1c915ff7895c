#pragma once

#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Entries of one gateway resemble each other: each is compressed on its own (any can be read alone), against a
/// dictionary that is simply some entries that came before.
namespace gibbon::logs {

/// Threads: one at a time.
class EntryCompressor {
 public:
  EntryCompressor();
  /// From now on against `dictionary`, which is copied; empty: without one.
  void use_dictionary(std::string_view dictionary);
  /// The view lives until the next call. Empty where compression failed: then the text is to be stored as it is.
  std::string_view compress(std::string_view text);

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::unique_ptr<ZSTD_CDict, Free> dictionary_;
  std::vector<char> buffer_;
};

/// Threads: one at a time.
class EntryDecompressor {
 public:
  EntryDecompressor();
  /// `dictionary` as it was given to the compressor. False where `bytes` are damaged.
  bool decompress(std::string_view bytes, const ZSTD_DDict* dictionary, std::string* text);

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
  };
  using Dictionary = std::unique_ptr<ZSTD_DDict, Free>;
  static Dictionary load(std::string_view dictionary);

 private:
  std::unique_ptr<ZSTD_DCtx, Free> context_;
};

/// Decides which entries make a dictionary, and when the one in use has grown old.
/// Threads: one at a time.
class DictionaryTrainer {
 public:
  /// Takes note of an entry and of the size that it was compressed to.
  void note(std::string_view text, std::size_t compressed_bytes);
  /// A better dictionary seems possible: there are enough samples, and entries have become harder to compress.
  [[nodiscard]] bool due() const;
  /// Made of the newest samples. The count begins anew.
  std::string make();
  /// A dictionary came from elsewhere: only when it fails is another due.
  void adopt();

 private:
  std::vector<std::string> samples_;
  std::size_t next_sample_ = 0;
  std::uint64_t since_ = 0;        ///< Entries since the last dictionary.
  double ratio_ = 1, best_ = 0;    ///< Compressed by raw size: a moving average, and its best since then.
  bool has_dictionary_ = false;
};

}  // namespace gibbon::logs
