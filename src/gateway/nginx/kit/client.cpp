#include "gateway/nginx/kit/client.hpp"

#include <new>

#include "gateway/nginx/context.hpp"
#include "gateway/nginx/forward.hpp"

namespace gibbon::nginx {

const EntityView* EntitiesAdapter::find(std::string_view collection, std::string_view key) const {
  return ctx_.runtime == nullptr ? nullptr : ctx_.runtime->entities().find(collection, key, ngx_time());
}

void EntitiesAdapter::each_of_consumer(std::string_view collection, const Consumer& consumer,
                                       Visitor<const EntityView&> visit) const {
  if (ctx_.runtime != nullptr)
    ctx_.runtime->entities().each_of_consumer(collection, consumer, ngx_time(), visit);
}

const Consumer* EntitiesAdapter::find_consumer(std::string_view id_or_username) const {
  return ctx_.runtime == nullptr ? nullptr : ctx_.runtime->entities().find_consumer(id_or_username);
}

std::string_view ClientAdapter::ip() const { return view(ctx_.r->connection->addr_text); }
std::string_view ClientAdapter::connection_ip() const { return connection_address(ctx_.r); }
std::uint16_t ClientAdapter::port() const { return ngx_inet_get_port(ctx_.r->connection->sockaddr); }

void ClientAdapter::authenticate(const Consumer* consumer, const EntityView* credential,
                                 std::string_view identifier) {
  ctx_.require("authenticate", {Phase::kAccess});
  if (consumer == nullptr && credential == nullptr)
    throw std::logic_error("authenticate() needs a consumer or a credential");
  consumer_ = consumer;
  credential_ = credential;
  ctx_.consumer_id = consumer != nullptr ? consumer->id : std::string_view();
  ServiceRequest& upstream = ctx_.exchange.service_request();
  const auto set = [&upstream](std::string_view name, std::string_view value) {
    if (value.empty()) {
      upstream.clear_header(name);
    } else {
      upstream.set_header(name, value);
    }
  };
  const Consumer nobody;
  const Consumer& who = consumer != nullptr ? *consumer : nobody;
  set("X-Consumer-ID", who.id);
  set("X-Consumer-Custom-ID", who.custom_id);
  set("X-Consumer-Username", who.username);
  set("X-Credential-Identifier", credential == nullptr ? std::string_view()
                                 : identifier.empty()  ? credential->id
                                                       : identifier);
  set("X-Anonymous-Consumer", credential == nullptr ? "true" : "");
  // Whoever runs after the plugin that called does so for this consumer.
  if (ctx_.runtime != nullptr)
    ctx_.set_chain(&ctx_.runtime->chains().continue_with(ctx_.chain(), ctx_.current->ordinal,
                                                         ctx_.route_index, ctx_.consumer_id));
}

void ClientAdapter::set_authenticated_groups(std::span<const std::string_view> groups) {
  auto* copies =
      static_cast<std::string_view*>(ngx_palloc(ctx_.r->pool, groups.size() * sizeof(std::string_view)));
  if (copies == nullptr) return;
  for (std::size_t i = 0; i < groups.size(); ++i)
    new (copies + i) std::string_view(view(copy_to_pool(ctx_.r->pool, groups[i])));
  groups_ = {copies, groups.size()};
}

}  // namespace gibbon::nginx
