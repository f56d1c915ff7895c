#include "gateway/answer/error_body.hpp"

#include <gtest/gtest.h>

namespace gibbon::gateway {
namespace {

struct AcceptCase {
  const char* accept;
  MediaType type;
};

TEST(ErrorBody, TheClientsPreferenceDecides) {
  const AcceptCase cases[] = {
      {"", MediaType::kJson},
      {"*/*", MediaType::kJson},
      {"text/html", MediaType::kHtml},
      {"text/*", MediaType::kPlain},
      {"application/*", MediaType::kJson},
      {"image/png", MediaType::kJson},
      {"application/xml;q=0.9, text/html", MediaType::kHtml},
      {"text/html;q=0.5, application/xml;q=0.8, */*;q=0.1", MediaType::kXml},
      {"text/html;level=1;q=0.3,text/plain;q=0.4", MediaType::kPlain},
      {"text/html; q=0.5 , text/plain ; q=0.5", MediaType::kHtml},
      {"text/plain;q=0", MediaType::kJson},
      {"text/html;q=7", MediaType::kHtml},  // No quality: it counts as 1.
      {"html, text/plain;q=0.1", MediaType::kPlain},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", MediaType::kHtml},
      {"application/grpc", MediaType::kGrpc},
      {",,;q=,/", MediaType::kJson},
  };
  for (const AcceptCase& each : cases) EXPECT_EQ(preferred_type(each.accept), each.type) << each.accept;
}

TEST(ErrorBody, KongsBodies) {
  const ErrorTemplates templates;
  EXPECT_EQ(templates.render(MediaType::kJson, "m", "i"), "{\n  \"message\":\"m\",\n  \"request_id\":\"i\"\n}");
  EXPECT_EQ(templates.render(MediaType::kPlain, "m", "i"), "m\nrequest_id: i\n");
  EXPECT_EQ(templates.render(MediaType::kXml, "m", "i"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>m</message>\n  <requestid>i</requestid>\n</error>\n");
  EXPECT_EQ(templates.render(MediaType::kHtml, "", "").size(), 266U - 57 - 32);  // As recorded.
  EXPECT_EQ(templates.render(MediaType::kGrpc, "m", "i"), "");
}

TEST(ErrorBody, AFileMayTakeATemplatesPlace) {
  ErrorTemplates templates;
  ASSERT_TRUE(templates.replace(MediaType::kHtml, "<b>%s</b> 100%% %s!"));
  EXPECT_EQ(templates.render(MediaType::kHtml, "m", "i"), "<b>m</b> 100% i!");
  ASSERT_TRUE(templates.replace(MediaType::kHtml, "only %s"));
  EXPECT_EQ(templates.render(MediaType::kHtml, "m", "i"), "only m");
  ASSERT_TRUE(templates.replace(MediaType::kHtml, "fixed"));
  EXPECT_EQ(templates.render(MediaType::kHtml, "m", "i"), "fixed");
  EXPECT_FALSE(templates.replace(MediaType::kHtml, "%s %s %s"));
  EXPECT_FALSE(templates.replace(MediaType::kHtml, "%d"));
  EXPECT_FALSE(templates.replace(MediaType::kHtml, "100%"));
  EXPECT_EQ(templates.render(MediaType::kHtml, "m", "i"), "fixed");
  EXPECT_EQ(templates.render(MediaType::kPlain, "m", "i"), "m\nrequest_id: i\n");
}

TEST(ErrorBody, GrpcStatuses) {
  const std::pair<int, int> cases[] = {{200, 0}, {301, 2}, {400, 3},  {401, 16}, {404, 5},  {409, 6},  {415, 3},
                                       {426, 3}, {429, 8}, {500, 13}, {502, 13}, {503, 14}, {504, 4}};
  for (const auto& [http, grpc] : cases) EXPECT_EQ(grpc_status_of(http), grpc) << http;
  EXPECT_EQ(grpc_message_of(14), "Unavailable");
  EXPECT_EQ(grpc_message_of(16), "Unauthenticated");
  EXPECT_EQ(grpc_message_of(99), "Unknown");
}

}  // namespace
}  // namespace gibbon::gateway
