#pragma once

#include <list>
#include <memory>
#include <optional>

#include "gateway/chain/runtime.hpp"
#include "gateway/nginx/kit/caller.hpp"
#include "plugin/registry.hpp"

namespace gibbon::nginx {

/// What plugins do in a worker without a request: init_worker, configure, and the tasks of Node::after() and every().
/// No timer of it keeps a worker that shuts down. Event thread.
class BackgroundTasks {
 public:
  BackgroundTasks();
  /// Destroys all tasks where they stand.
  ~BackgroundTasks();
  BackgroundTasks(const BackgroundTasks&) = delete;

  /// Runs `work` in `plugin`'s name after `delay`, and again `interval` after each of its ends where there is one.
  /// Throws where there are too many tasks.
  void add(const PluginDescriptor& plugin, std::chrono::milliseconds delay,
           std::optional<std::chrono::milliseconds> interval, Node::Work work);
  /// Each plugin's init_worker, as far as it comes without waiting.
  void init_worker(const plugin::Registry& plugins);
  /// Tells each plugin that wants to know of all its configurations.
  void configure(const plugin::Registry& plugins, const gateway::Runtime& runtime);
  /// Destroys all tasks, and takes no more.
  void stop();

 private:
  class Running;
  void remove(const Running* running);

  std::list<std::unique_ptr<Running>> running_;
  bool stopped_ = false;
};

}  // namespace gibbon::nginx
