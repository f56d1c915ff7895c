#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/catalog.hpp"
#include "agent/store/transaction.hpp"

/// What Kong does with certificates beside storing them: a certificate shows its server names in `snis`, and
/// takes them from there; it goes with its names; an authority that is in use stays. Nothing here touches
/// other collections. Threads: any.
namespace gibbon::agent {

/// The `snis` of an input, on their way through one change.
class ServerNames {
 public:
  /// Nothing where the collection has no such field or the input does not give it; null empties the list.
  ServerNames(const Collection& collection, const json::object& input);

  /// Before the certificate is checked. Errors: a name that stands twice; one of another certificate than
  /// `id` (empty: a new one).
  [[nodiscard]] std::optional<StoreError> check(const Image& image, std::string_view id) const;
  /// After the certificate was stored as `row`: makes its names those of the list, where there is one, and
  /// gives the certificate with its names.
  Outcome<Row> keep(Transaction& transaction, const Catalog& catalog, Outcome<Row> row) const;

 private:
  bool applies_;
  std::optional<std::vector<std::string>> names_;  ///< Sorted.
};

/// A certificate as the Admin API shows it; any other entity as it is.
Row with_server_names(const Image& image, std::string_view collection, const Row& row);
/// The sorted names of every certificate that has some.
std::map<std::string, json::array, std::less<>> all_server_names(const Image& image);

/// Before an entity is removed: takes a certificate's names away. Errors: an authority that something refers
/// to.
std::optional<StoreError> before_removal(Transaction& transaction, const Collection& collection,
                                         std::string_view id);

}  // namespace gibbon::agent
