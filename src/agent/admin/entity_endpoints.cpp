// The endpoints that every collection has: /E, /E/{E}, and for each foreign key F: /E/{E}/F, /F/{F}/E,
// /F/{F}/E/{E}.
#include "agent/admin/api.hpp"
#include "agent/admin/entity_service.hpp"
#include "agent/admin/page_query.hpp"
#include "agent/admin/reply.hpp"
#include "agent/store/ttl.hpp"

namespace gibbon::agent {
namespace {

std::string place(const Collection& collection) { return "{" + collection.name + "}"; }

EntityKey key_in(const Call& call, const Collection& collection) {
  return entity_key(collection, call.params.find(collection.name)->second);
}

EntityKey child_key_in(const Call& call, const Collection& collection) {
  return child_key(collection, call.params.find(collection.name)->second);
}

http::Response change_reply(int status, const Collection& collection, const EntityService::Changed& changed) {
  if (!changed.ok()) return error_reply(changed.error());
  if (!changed.value()) return not_found_reply();
  return *changed.value() == nullptr ? no_content_reply() : json_reply(status, shown(collection, **changed.value()));
}

/// `endpoint`, for paths whose places name what can be a key of the collection, and of its child where there is one;
/// an error for others.
Endpoint with_keys(const Collection& collection, const Collection* child, Endpoint endpoint) {
  return [&collection, child, endpoint = std::move(endpoint)](Call& call) {
    auto problem = key_problem(collection, key_in(call, collection));
    if (!problem && child != nullptr) problem = key_problem(*child, child_key_in(call, *child));
    return problem ? error_reply(*problem) : endpoint(call);
  };
}
Endpoint with_key(const Collection& collection, Endpoint endpoint) {
  return with_keys(collection, nullptr, std::move(endpoint));
}

http::Response row_reply(const Collection& collection, const Row& row) {
  return row == nullptr ? not_found_reply() : json_reply(200, shown(collection, *row));
}

void add_collection(Endpoints& endpoints, Host& host, const Collection& collection) {
  const auto list = "/" + collection.path;
  const auto one = list + "/" + place(collection);
  endpoints.add("GET", list, [&](Call& call) {
    auto query = read_page_query(call);
    if (!query.ok()) return error_reply(query.error());
    const auto page = host.store().read()->page(collection.name, query.value());
    return page.ok() ? page_reply(call, "/" + collection.path, page.value()) : error_reply(page.error());
  });
  endpoints.add("POST", list, [&](Call& call) {
    return change_reply(201, collection, EntityService(host).create(collection, call.body, std::nullopt));
  });
  endpoints.add("GET", one, with_key(collection, [&](Call& call) {
    return row_reply(collection, find_entity(*host.store().read(), collection, key_in(call, collection)));
  }));
  endpoints.add("PATCH", one, with_key(collection, [&](Call& call) {
    return change_reply(
        200, collection, EntityService(host).update(collection, key_in(call, collection), call.body, std::nullopt));
  }));
  endpoints.add("PUT", one, with_key(collection, [&](Call& call) {
    return change_reply(
        200, collection, EntityService(host).replace(collection, key_in(call, collection), call.body, std::nullopt));
  }));
  endpoints.add("DELETE", one, with_key(collection, [&](Call& call) {
    return change_reply(
        204, collection, EntityService(host).remove(collection, key_in(call, collection), std::nullopt));
  }));
}

/// /services/{services}/routes and /services/{services}/routes/{routes}
void add_children(Endpoints& endpoints, Host& host, const Collection& parent, const Collection& child,
                  const ForeignKey& foreign) {
  const auto list = "/" + parent.path + "/" + place(parent) + "/" + child.nested_path;
  const auto one = list + "/" + place(child);
  const auto parent_in = [&](const Call& call) {
    return Parent{&parent, foreign.field, key_in(call, parent)};
  };
  endpoints.add("GET", list, with_key(parent, [&](Call& call) {
    const auto image = host.store().read();
    const auto row = find_entity(*image, parent, key_in(call, parent));
    if (row == nullptr) return not_found_reply();
    auto query = read_page_query(call);
    if (!query.ok()) return error_reply(query.error());
    query.value().foreign_field = foreign.field;
    query.value().foreign_id = text_of(*row, "id");
    const auto page = image->page(child.name, query.value());
    const auto path =
        "/" + parent.path + "/" + http::percent_encode(key_in(call, parent).value) + "/" + child.nested_path;
    return page.ok() ? page_reply(call, path, page.value(), NextPage::kOffsetAlone) : error_reply(page.error());
  }));
  endpoints.add("POST", list, with_key(parent, [&, parent_in](Call& call) {
    return change_reply(201, child, EntityService(host).create(child, call.body, parent_in(call)));
  }));
  endpoints.add("GET", one, with_keys(parent, &child, [&](Call& call) {
    const auto image = host.store().read();
    const auto row = find_entity(*image, parent, key_in(call, parent));
    if (row == nullptr) return not_found_reply();
    return row_reply(child, find_child(*image, child, foreign.field, text_of(*row, "id"), child_key_in(call, child)));
  }));
  endpoints.add("PATCH", one, with_keys(parent, &child, [&, parent_in](Call& call) {
    return change_reply(
        200, child, EntityService(host).update(child, child_key_in(call, child), call.body, parent_in(call)));
  }));
  endpoints.add("PUT", one, with_keys(parent, &child, [&, parent_in](Call& call) {
    return change_reply(
        200, child, EntityService(host).replace(child, child_key_in(call, child), call.body, parent_in(call)));
  }));
  endpoints.add("DELETE", one, with_keys(parent, &child, [&, parent_in](Call& call) {
    return change_reply(204, child, EntityService(host).remove(child, child_key_in(call, child), parent_in(call)));
  }));
}

/// /routes/{routes}/service
void add_referenced(Endpoints& endpoints, Host& host, const Collection& child, const ForeignKey& foreign,
                    const Collection& parent) {
  const auto path = "/" + child.path + "/" + place(child) + "/" + foreign.field;
  const auto referenced = [&](Call& call) -> std::optional<EntityKey> {
    const auto row = find_entity(*host.store().read(), child, key_in(call, child));
    if (row == nullptr || foreign_id(*row, foreign.field).empty()) return std::nullopt;
    return EntityKey{"id", std::string(foreign_id(*row, foreign.field))};
  };
  endpoints.add("GET", path, with_key(child, [&, referenced](Call& call) {
    const auto key = referenced(call);
    return key ? row_reply(parent, find_entity(*host.store().read(), parent, *key)) : not_found_reply();
  }));
  endpoints.add("PATCH", path, with_key(child, [&, referenced](Call& call) {
    const auto key = referenced(call);
    if (!key) return not_found_reply();
    return change_reply(200, parent, EntityService(host).update(parent, *key, call.body, std::nullopt));
  }));
  endpoints.add("PUT", path, with_key(child, [&](Call& call) {
    return change_reply(
        200, parent, EntityService(host).replace_referenced(child, key_in(call, child), foreign, call.body));
  }));
  endpoints.add("DELETE", path, with_key(child, [&, referenced](Call& call) {
    return referenced(call) ? message_reply(405, "Method not allowed") : not_found_reply();
  }));
}

}  // namespace

void add_entity_endpoints(Endpoints& endpoints, Host& host, const Collections& collections) {
  for (const auto& collection : collections) {
    const bool everywhere = collection.entity.access == Entity::Access::kEverywhere;
    if (everywhere) add_collection(endpoints, host, collection);
    for (const auto& foreign : collection.foreign) {
      const auto* parent = collections.find(foreign.collection);
      if (parent == nullptr) continue;
      add_children(endpoints, host, *parent, collection, foreign);
      if (everywhere) add_referenced(endpoints, host, collection, foreign, *parent);
    }
  }
  // Targets are reached through their upstream, and certificates not through their names.
  for (const char* pattern : {"/targets", "/targets/{targets}", "/targets/{targets}/upstream", "/snis/{snis}/certificate"})
    endpoints.refuse(pattern, not_found_reply());
}

}  // namespace gibbon::agent
