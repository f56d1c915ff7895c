#include "agent/store/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "base/json_text.hpp"
#include "schema/utf8.hpp"

namespace gibbon::agent {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 5'000'000;

std::string at(const YAML::Mark& mark, std::string_view what) {
  return mark.is_null() ? std::string(what) : fmt::format("{}:{}: {}", mark.line + 1, mark.column + 1, what);
}

/// Builds the value while the parser reads.
class Builder : public YAML::EventHandler {
 public:
  json::value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) throw YAML::Exception(mark, "a key must be text");
    add(mark, nullptr, anchor, 1);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YAML::Exception(mark, "an alias inside of what it stands for");
    count(mark, found->second.nodes);
    place(mark, found->second.value, found->second.nodes);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (expects_key()) {
      auto& map = open_.back();
      map.is_merge = text == "<<" && tag != "!";
      map.key = text;
      map.has_key = true;
      if (anchor != YAML::NullAnchor) anchors_[anchor] = {json::value(text), 1};
      return;
    }
    if (tag == "?") return add(mark, plain_scalar(text), anchor, 1);
    auto value = tag == "!" ? json::value(text) : tagged_scalar(tag, text);
    if (!value) throw YAML::Exception(mark, "invalid '" + tag + "' value: '" + text + "'");
    add(mark, std::move(*value), anchor, 1);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, json::array(), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, json::object(), anchor);
  }
  void OnMapEnd() override {
    auto& map = open_.back();
    for (auto& [key, value] : map.merged) map.value.get_object().emplace(key, std::move(value));
    close();
  }

 private:
  struct Open {
    YAML::Mark mark;
    json::value value;
    YAML::anchor_t anchor;
    std::size_t nodes = 1;
    std::string key{};
    bool has_key = false, is_merge = false;
    json::object merged{};  ///< What merge keys bring; the map's own keys go before it.
  };
  struct Anchored {
    json::value value;
    std::size_t nodes = 1;
  };

  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key;
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) throw YAML::Exception(mark, "too large when its aliases are resolved");
  }

  void open(const YAML::Mark& mark, json::value value, YAML::anchor_t anchor) {
    if (expects_key()) throw YAML::Exception(mark, "a key must be text");
    if (open_.size() >= kMaxDepth) throw YAML::Exception(mark, "nested too deeply");
    count(mark, 1);
    open_.push_back({mark, std::move(value), anchor});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = {done.value, done.nodes};
    place(done.mark, std::move(done.value), done.nodes);
  }

  void add(const YAML::Mark& mark, json::value value, YAML::anchor_t anchor, std::size_t nodes) {
    count(mark, nodes);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {value, nodes};
    place(mark, std::move(value), nodes);
  }

  void place(const YAML::Mark& mark, json::value value, std::size_t nodes) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& parent = open_.back();
    parent.nodes += nodes;
    if (auto* list = parent.value.if_array()) {
      list->push_back(std::move(value));
      return;
    }
    if (!parent.has_key) {  // an alias as a key
      if (!value.is_string()) throw YAML::Exception(mark, "a key must be text");
      parent.key = std::string(value.get_string());
      parent.has_key = true;
      return;
    }
    parent.has_key = false;
    if (parent.is_merge) return merge(mark, value, parent.merged);
    parent.value.get_object()[parent.key] = std::move(value);
  }

  static void merge(const YAML::Mark& mark, const json::value& value, json::object& merged) {
    const auto absorb = [&](const json::value& source) {
      if (!source.is_object()) throw YAML::Exception(mark, "a merge key needs a mapping");
      for (const auto& [name, inherited] : source.get_object()) merged.emplace(name, inherited);
    };
    if (const auto* list = value.if_array()) {
      for (const auto& source : *list) absorb(source);
    } else {
      absorb(value);
    }
  }

  json::value root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
};

/// Reads over a document.
class Ignore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

/// What YAML does not allow in a text at all.
std::optional<Error> check_characters(std::string_view text) {
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
  const auto place =
      std::min(static_cast<std::size_t>(control - text.begin()), schema::first_invalid_utf8(text));
  if (place >= text.size()) return std::nullopt;
  const auto before = text.substr(0, place);
  const auto line = before.rfind('\n');
  return Error{
      fmt::format("{}:{}: {}", std::count(before.begin(), before.end(), '\n') + 1,
                  line == std::string_view::npos ? place + 1 : place - line,
                  static_cast<unsigned char>(text[place]) < 0x80 ? "control characters are not allowed"
                                                                 : "invalid UTF-8"),
      ""};
}

void emit(const json::value& value, YAML::Emitter& out) {
  if (const auto* text = value.if_string()) {
    const std::string copy(*text);
    if (!plain_scalar(copy).is_string() || copy == "<<") {
      out << YAML::SingleQuoted << copy;
    } else {
      out << copy;
    }
  } else if (const auto* array = value.if_array()) {
    if (array->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& element : *array) emit(element, out);
    out << YAML::EndSeq;
  } else if (const auto* object = value.if_object()) {
    if (object->empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : *object) {
      out << YAML::Key;
      emit(json::value(key), out);
      out << YAML::Value;
      emit(member, out);
    }
    out << YAML::EndMap;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << to_text(value);
  }
}

}  // namespace

Result<json::value> parse_yaml(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (auto wrong = check_characters(text)) return *wrong;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    if (!parser.HandleNextDocument(builder)) return json::value(nullptr);
    Ignore rest;
    while (parser.HandleNextDocument(rest)) {
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    return Error{at(error.mark, error.msg), ""};
  }
}

std::string to_yaml(const json::value& value) {
  YAML::Emitter out;
  out.SetNullFormat(YAML::TildeNull);
  out.SetSeqFormat(YAML::Block);
  emit(value, out);
  return std::string(out.c_str()) + "\n";
}

}  // namespace gibbon::agent
