#include "agent/delivery/sink/http_sender.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "base/version.hpp"

namespace gibbon::agent {
namespace {

constexpr long kMaxTimeoutMs = 10 * 60 * 1000;  // an endpoint may ask for none: a transfer must end all the same
constexpr std::size_t kKeptBodyBytes = 256;
constexpr std::chrono::milliseconds kMaxRetryAfter{60'000};

bool names_ndjson(CURL* easy) {
  curl_header* header = nullptr;
  for (std::size_t i = 0; curl_easy_header(easy, "Accept-Post", i, CURLH_HEADER, -1, &header) == CURLHE_OK; ++i) {
    std::string value(header->value);
    std::transform(value.begin(), value.end(), value.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (value.find("application/x-ndjson") != std::string::npos) return true;
    if (i + 1 >= header->amount) break;
  }
  return false;
}

std::chrono::milliseconds retry_after(CURL* easy) {
  curl_off_t seconds = 0;  // curl reads both forms, seconds and a date
  if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0) return {};
  return std::min(kMaxRetryAfter, std::chrono::milliseconds(std::min<curl_off_t>(seconds, 60) * 1000));
}

}  // namespace

struct Transfer {
  CURL* easy = nullptr;
  HttpSender::Target* target = nullptr;
  HttpSender::Done done;
  curl_slist* own_headers = nullptr;
  std::string body;
  char error[CURL_ERROR_SIZE] = {};

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(own_headers);
  }
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
    std::string& body = static_cast<Transfer*>(self)->body;
    body.append(bytes, std::min(size * count, kKeptBodyBytes - std::min(kKeptBodyBytes, body.size())));
    return size * count;
  }
};

class HttpSender::Target {
 public:
  Target(CURLM* multi, const Destination& destination) : multi_(multi), destination_(destination) {
    single_ = curl_slist_append(nullptr, ("Content-Type: " + destination.content_type).c_str());
    single_ = curl_slist_append(single_, "Expect:");
    ndjson_ = curl_slist_append(nullptr, "Content-Type: application/x-ndjson");
    ndjson_ = curl_slist_append(ndjson_, "Expect:");
    for (const auto& [name, value] : destination.headers) {
      // Without a value, a header is written with a semicolon.
      const std::string line = name + (value.empty() ? ";" : ": " + value);
      single_ = curl_slist_append(single_, line.c_str());
      ndjson_ = curl_slist_append(ndjson_, line.c_str());
    }
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target() {
    for (Transfer* transfer : running_) {
      curl_multi_remove_handle(multi_, transfer->easy);
      delete transfer;
    }
    idle_.clear();
    curl_slist_free_all(single_);
    curl_slist_free_all(ndjson_);
  }

  void post(Body body, std::string_view bytes, std::string_view key, Done done) {
    std::unique_ptr<Transfer> transfer = idle_.empty() ? make() : std::move(idle_.back());
    if (!idle_.empty()) idle_.pop_back();
    curl_slist_free_all(std::exchange(transfer->own_headers, nullptr));
    transfer->body.clear();
    transfer->error[0] = '\0';
    transfer->done = std::move(done);
    curl_slist* headers = body == Body::kNdjson ? ndjson_ : single_;
    if (!key.empty()) {
      transfer->own_headers =
          curl_slist_append(nullptr, ("Idempotency-Key: " + std::string(key)).c_str());
      for (const curl_slist* h = headers; h != nullptr; h = h->next)
        transfer->own_headers = curl_slist_append(transfer->own_headers, h->data);
      headers = transfer->own_headers;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, bytes.data());
    Transfer* raw = transfer.release();
    running_.push_back(raw);
    curl_multi_add_handle(multi_, raw->easy);
  }

  void finish(Transfer* transfer, CURLcode code) {
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
      answer.status = static_cast<int>(status);
      answer.accepts_ndjson = names_ndjson(transfer->easy);
      answer.retry_after = retry_after(transfer->easy);
      answer.body = std::move(transfer->body);
    } else {
      answer.error = transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code);
    }
    curl_multi_remove_handle(multi_, transfer->easy);
    std::erase(running_, transfer);
    const Done done = std::move(transfer->done);
    transfer->done = nullptr;
    idle_.emplace_back(transfer);
    done(answer);  // last: it may start the next one
  }

 private:
  std::unique_ptr<Transfer> make() {
    auto transfer = std::make_unique<Transfer>();
    transfer->target = this;
    CURL* easy = transfer->easy = curl_easy_init();
    const long timeout = destination_.timeout_ms == 0
                             ? kMaxTimeoutMs
                             : std::min<long>(kMaxTimeoutMs, static_cast<long>(destination_.timeout_ms));
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
    curl_easy_setopt(easy, CURLOPT_URL, destination_.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // as the gateway: straight to the endpoint, whatever http_proxy says
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (destination_.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, destination_.method.c_str());
    if (!destination_.ssl_verify) {
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, (std::string("gibbon/") + kVersion).c_str());
    if (destination_.keepalive_ms == 0) {
      curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    } else {
      curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, std::max(1L, static_cast<long>(destination_.keepalive_ms / 1000)));
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    return transfer;
  }

  CURLM* multi_;
  Destination destination_;
  curl_slist *single_ = nullptr, *ndjson_ = nullptr;
  std::vector<Transfer*> running_;
  std::vector<std::unique_ptr<Transfer>> idle_;
};

struct HttpSender::State {
  CURLM* multi = nullptr;
};

void HttpSender::TargetDeleter::operator()(Target* target) const { delete target; }

HttpSender::HttpSender() : state_(std::make_unique<State>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->multi = curl_multi_init();
  curl_multi_setopt(state_->multi, CURLMOPT_MAXCONNECTS, 200L);
  curl_multi_setopt(state_->multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

HttpSender::~HttpSender() { curl_multi_cleanup(state_->multi); }

HttpSender::TargetPtr HttpSender::make_target(const Destination& destination) {
  return TargetPtr(new Target(state_->multi, destination));
}

void HttpSender::post(Target& target, Body body, std::string_view bytes, std::string_view idempotency_key, Done done) {
  target.post(body, bytes, idempotency_key, std::move(done));
}

void HttpSender::perform() {
  int running = 0;
  curl_multi_perform(state_->multi, &running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(state_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->target->finish(transfer, message->data.result);
  }
}

void HttpSender::wait(std::chrono::milliseconds timeout) {
  curl_multi_poll(state_->multi, nullptr, 0, static_cast<int>(timeout.count()), nullptr);
}

void HttpSender::wake() { curl_multi_wakeup(state_->multi); }

std::string without_userinfo(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < start) return std::string(url);
  return std::string(url.substr(0, start)) + std::string(url.substr(at + 1));
}

}  // namespace gibbon::agent
