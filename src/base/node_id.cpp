#include "base/node_id.hpp"

#include <fstream>

#include "base/uuid.hpp"

namespace gibbon {

std::string node_id(const Paths& paths) {
  const auto path = paths.prefix + "/gibbon.id";
  std::string id;
  std::ifstream(path) >> id;
  if (is_uuid(id)) return id;
  id = uuid_v4();
  std::ofstream(path) << id << '\n';
  return id;
}

}  // namespace gibbon
