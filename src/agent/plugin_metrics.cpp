#include "agent/plugin_metrics.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <bit>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "record/metric_table.hpp"

namespace gibbon::agent {
namespace {

using Labels = std::vector<std::string>;

/// A family of a loaded plugin, and its series' sums: of a histogram each bucket's own, and the sum of the values last.
struct Family {
  record::MetricSource source;
  std::map<Labels, std::vector<double>> series{};
  [[nodiscard]] bool is_counter() const { return source.family.type == MetricFamily::Type::kCounter; }
};

std::set<std::string, std::less<>> enabled_plugins(const Image& image) {
  std::set<std::string, std::less<>> names;
  for (const auto& [id, row] : image.rows("plugins")) {
    const json::value* enabled = row->if_contains("enabled");
    if (enabled == nullptr || !enabled->is_bool() || enabled->get_bool()) names.emplace(text_of(*row, "name"));
  }
  return names;
}

/// Those that can be shown, in the order of the plugins.
std::vector<Family> families(Host& host) {
  std::vector<Family> all;
  const auto catalog = host.catalog();
  const auto enabled = enabled_plugins(*host.store().read());
  for (const PluginDescriptor* plugin : catalog->plugins().all())
    if (plugin->metrics != nullptr && enabled.contains(plugin->name))
      for (MetricFamily& family : plugin->metrics()) all.push_back({{plugin->name, std::move(family)}});
  return all;
}

void add(std::vector<Family>& all, const record::MetricSeries& series) {
  for (Family& family : all) {
    const record::MetricSource& source = family.source;
    if (source.plugin != series.plugin || source.family.name != series.family) continue;
    // Another version of the plugin may have counted in other buckets.
    if (series.values.size() != source.values() || series.labels.size() != source.family.labels.size()) return;
    auto& sums = family.series[Labels(series.labels.begin(), series.labels.end())];
    sums.resize(series.values.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const bool is_double = i + 1 == sums.size();
      sums[i] += is_double ? std::bit_cast<double>(series.values[i]) : static_cast<double>(series.values[i]);
    }
    return;
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string joined(const std::vector<std::string>& names, const Labels& values) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text.append(text.empty() ? "" : ",").append(names[i]).append("=").append(quoted(values[i]));
  return text;
}

void write_histogram(const Family& family, const std::string& labels, const std::vector<double>& sums,
                     std::string& out) {
  const std::string& name = family.source.family.name;
  const auto& bounds = family.source.family.buckets;
  const auto bucket = [&](const std::string& bound, double count) {
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, labels.empty() ? "" : ",",
                   bound, count);
  };
  double count = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) bucket(fmt::format("{}", bounds[i]), count += sums[i]);
  bucket("+Inf", count += sums[bounds.size()]);
  const std::string braced = labels.empty() ? "" : "{" + labels + "}";
  fmt::format_to(std::back_inserter(out), "{0}_count{1} {2}\n{0}_sum{1} {3}\n", name, braced, count, sums.back());
}

void write(const Family& family, std::string& out) {
  if (family.series.empty()) return;
  const MetricFamily& about = family.source.family;
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", about.name, about.help,
                 family.is_counter() ? "counter" : "histogram");
  for (const auto& [values, sums] : family.series) {
    const std::string labels = joined(about.labels, values);
    if (family.is_counter()) {
      fmt::format_to(std::back_inserter(out), "{}{} {}\n", about.name, labels.empty() ? "" : "{" + labels + "}",
                     sums.front());
    } else {
      write_histogram(family, labels, sums, out);
    }
  }
}

}  // namespace

std::string plugin_metrics(Host& host) {
  std::vector<Family> all = families(host);
  std::uint64_t errors = 0;
  for (const std::string& file : record::metric_files(host.shared_directory())) {
    auto reader = record::MetricReader::open(file);
    if (!reader.ok()) {
      spdlog::warn("{}", reader.error().message);
      continue;
    }
    errors += reader->errors();
    record::MetricSeries series;
    while (reader->next(&series)) add(all, series);
  }
  std::string out = fmt::format(
      "# HELP kong_nginx_metric_errors_total Figures of plugins that found no room.\n"
      "# TYPE kong_nginx_metric_errors_total counter\n"
      "kong_nginx_metric_errors_total {}\n",
      errors);
  for (const Family& family : all) write(family, out);
  return out;
}

}  // namespace gibbon::agent
