#pragma once

#include "gateway/nginx/kit/client.hpp"
#include "gateway/nginx/kit/ctx.hpp"
#include "gateway/nginx/kit/node.hpp"
#include "gateway/nginx/kit/request.hpp"
#include "gateway/nginx/kit/response.hpp"
#include "gateway/nginx/kit/service.hpp"
#include "gateway/nginx/kit/service_request.hpp"

namespace gibbon::nginx {

/// All of the plugin kit's views of one request. See include/gibbon/exchange.hpp.
class ExchangeAdapter final : public Exchange {
 public:
  explicit ExchangeAdapter(Context& ctx);
  [[nodiscard]] Phase phase() const override;
  Request& request() override { return request_; }
  ServiceRequestAdapter& service_request() override { return service_request_; }
  Service& service() override { return service_; }
  ServiceResponse& service_response() override { return service_response_; }
  Response& response() override { return response_; }
  Router& router() override { return router_; }
  ClientAdapter& client() override { return client_; }
  Entities& entities() override { return entities_; }
  Ctx& ctx() override { return kept_; }
  Node& node() override { return node_; }
  Log& log() override { return log_; }
  void exit(int status, std::string_view body, std::string_view content_type) override;
  void error(int status, std::string_view message) override;
  [[nodiscard]] PluginScope scope() const override;
  [[nodiscard]] Timings timings() const override;
  void record(const RecordLimits& limits) override;
  void set_serialize_value(std::string_view path, std::string_view json) override;
  void enqueue(std::string_view entry) override;

  Wait<void> sleep(std::chrono::milliseconds time) override;
  Wait<HttpResponse> http(HttpRequest request) override;
  Wait<std::vector<std::string>> resolve(std::string name) override;
  Wait<std::unique_ptr<Socket>> connect(ConnectOptions options) override;

 private:
  void begin_answer(const char* function, bool has_body);
  RequestAdapter request_;
  ServiceRequestAdapter service_request_;
  ServiceAdapter service_;
  ServiceResponseAdapter service_response_;
  ResponseAdapter response_;
  RouterAdapter router_;
  ClientAdapter client_;
  EntitiesAdapter entities_;
  CtxAdapter kept_;
  NodeAdapter node_;
  LogAdapter log_;
  Context& ctx_;
};

}  // namespace gibbon::nginx
