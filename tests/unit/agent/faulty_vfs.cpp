#include "faulty_vfs.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

namespace gibbon::agent::test {
namespace {

constexpr const char* kName = "faulty";

/// What a write replaced, to take it back.
struct Undo {
  sqlite3_int64 size;  ///< Of the file before.
  sqlite3_int64 offset;
  std::vector<char> bytes;
};

FaultyDisk::State* current = nullptr;

}  // namespace

struct FaultyDisk::State {
  Fault fault;
  int countdown;
  bool broken = false;
  std::map<std::string, std::vector<Undo>> unsynced;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;

  /// One operation that changes a file. Whether it goes through.
  bool step() {
    if (!broken && countdown-- == 0) broken = true;
    return !broken;
  }
  [[nodiscard]] int error() const { return fault == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR; }
};

namespace {

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  std::string* path;  ///< Null for files without a name.
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

int close_file(sqlite3_file* file) {
  auto* own = reinterpret_cast<File*>(file);
  const int result = own->real->pMethods->xClose(own->real);
  sqlite3_free(own->real);
  delete own->path;
  return result;
}

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  return real_of(file)->pMethods->xRead(real_of(file), out, amount, offset);
}

int write_file(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  if (!current->step()) return current->error();
  auto* real = real_of(file);
  if (const auto* path = reinterpret_cast<File*>(file)->path; path != nullptr) {
    Undo undo{0, offset, std::vector<char>(static_cast<std::size_t>(amount))};
    real->pMethods->xFileSize(real, &undo.size);
    real->pMethods->xRead(real, undo.bytes.data(), amount, offset);
    current->unsynced[*path].push_back(std::move(undo));
  }
  return real->pMethods->xWrite(real, bytes, amount, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (!current->step()) return current->error();
  auto* real = real_of(file);
  if (const auto* path = reinterpret_cast<File*>(file)->path; path != nullptr) {
    Undo undo{0, size, {}};
    real->pMethods->xFileSize(real, &undo.size);
    if (undo.size > size) {
      undo.bytes.resize(static_cast<std::size_t>(undo.size - size));
      real->pMethods->xRead(real, undo.bytes.data(), static_cast<int>(undo.bytes.size()), size);
    }
    current->unsynced[*path].push_back(std::move(undo));
  }
  return real->pMethods->xTruncate(real, size);
}

/// What survives is decided here: the real disk need not be waited for.
int sync_file(sqlite3_file* file, int) {
  if (!current->step())
    return current->fault == FaultyDisk::Fault::kFull ? SQLITE_IOERR_FSYNC : current->error();
  const auto* path = reinterpret_cast<File*>(file)->path;
  if (path != nullptr) current->unsynced.erase(*path);
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
int unlock_file(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int is_reserved(sqlite3_file* file, int* out) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}
int sector_size(sqlite3_file* file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}
void barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

const sqlite3_io_methods kMethods = {
    2,           close_file,  read_file,    write_file,   truncate_file, sync_file,       file_size,
    lock_file,   unlock_file, is_reserved,  control_file, sector_size,   characteristics, map_shared,
    lock_shared, barrier,     unmap_shared, nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* own = reinterpret_cast<File*>(file);
  own->base.pMethods = nullptr;
  own->real = static_cast<sqlite3_file*>(sqlite3_malloc(current->real->szOsFile));
  std::memset(own->real, 0, static_cast<std::size_t>(current->real->szOsFile));
  const int result = current->real->xOpen(current->real, name, own->real, flags, out_flags);
  if (result != SQLITE_OK) {
    sqlite3_free(own->real);
    return result;
  }
  own->path = name == nullptr ? nullptr : new std::string(name);
  own->base.pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
  if (!current->step()) return SQLITE_IOERR_DELETE;
  current->unsynced.erase(name);
  return current->real->xDelete(current->real, name, sync);
}

}  // namespace

FaultyDisk::FaultyDisk(Fault fault, int countdown) : state_(std::make_unique<State>()) {
  state_->fault = fault;
  state_->countdown = countdown;
  state_->real = sqlite3_vfs_find(nullptr);
  state_->vfs = *state_->real;
  state_->vfs.zName = kName;
  state_->vfs.szOsFile = sizeof(File);
  state_->vfs.xOpen = open_file;
  state_->vfs.xDelete = delete_file;
  // The rest of the real one finds its own state in its pAppData, which was copied along.
  current = state_.get();
  sqlite3_vfs_register(&state_->vfs, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
  current = nullptr;
}

void FaultyDisk::break_now() { state_->broken = true; }

void FaultyDisk::heal() {
  state_->broken = false;
  state_->countdown = -1;
}

bool FaultyDisk::broke() const { return state_->broken; }

void FaultyDisk::lose() {
  if (state_->fault != Fault::kPowerLoss || !state_->broken) return;
  for (auto& [path, writes] : state_->unsynced) {
    if (!std::filesystem::exists(path)) continue;
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(write->offset);
      file.write(write->bytes.data(), static_cast<std::streamsize>(write->bytes.size()));
      file.close();
      std::filesystem::resize_file(path, static_cast<std::uintmax_t>(write->size));
    }
    // The index of the log is no file in the end: it goes with the machine.
    std::error_code ignored;
    std::filesystem::remove(path.substr(0, path.rfind("-wal")) + "-shm", ignored);
  }
}

}  // namespace gibbon::agent::test
