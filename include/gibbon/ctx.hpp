#pragma once

#include <cstddef>
#include <new>
#include <string_view>
#include <typeinfo>

namespace gibbon {

/// Kong's kong.ctx: what handlers keep from one phase of an exchange to the next. Objects live in the exchange's memory
/// and are destroyed when it ends. Phases: rewrite and later.
class Ctx {
 public:
  /// This plugin's own object of type T, made at its first use.
  template <typename T>
  T& plugin() {
    return *static_cast<T*>(object(nullptr, {}, type_of<T>(), true));
  }
  /// The same, but null where nothing has made it yet.
  template <typename T>
  T* find_plugin() {
    return static_cast<T*>(object(nullptr, {}, type_of<T>(), false));
  }
  /// An object that all plugins share under a name, made at its first use. Throws std::logic_error where it exists with
  /// another type.
  template <typename T>
  T& shared(std::string_view name) {
    return *static_cast<T*>(object(this, name, type_of<T>(), true));
  }
  template <typename T>
  T* find_shared(std::string_view name) {
    return static_cast<T*>(object(this, name, type_of<T>(), false));
  }

 protected:
  ~Ctx() = default;
  struct ObjectType {
    const char* name;
    std::size_t size, alignment;
    void (*construct)(void*);
    void (*destroy)(void*);
  };
  /// `shared` null: the running plugin's own.
  virtual void* object(const void* shared, std::string_view name, const ObjectType& type, bool make) = 0;

 private:
  template <typename T>
  static const ObjectType& type_of() {
    static const ObjectType type = {typeid(T).name(), sizeof(T), alignof(T), [](void* at) { new (at) T(); },
                                    [](void* at) { static_cast<T*>(at)->~T(); }};
    return type;
  }
};

}  // namespace gibbon
