#pragma once

namespace gibbon {

/// A function to be called for each of several things; a plain pair of pointers, so that a visit costs no
/// allocation.
template <typename... Args>
class Visitor {
 public:
  template <typename F>
  Visitor(F& visit)  // NOLINT: implicit by design
      : context_(const_cast<void*>(static_cast<const void*>(&visit))),
        call_([](void* f, Args... args) { (*static_cast<F*>(f))(args...); }) {}
  void operator()(Args... args) const { call_(context_, args...); }

 private:
  void* context_;
  void (*call_)(void*, Args...);
};

}  // namespace gibbon
