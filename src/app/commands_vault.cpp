#include "app/commands.hpp"
#include "config/vaults.hpp"
#include "schema/formats.hpp"

namespace gibbon::app {

int vault_get(const std::string& reference) {
  const std::string whole = schema::is_vault_reference(reference) ? reference : "{vault://" + reference + "}";
  const auto value = config::Vaults({}).get(whole);
  if (!value) return fail(value.error());
  say(*value);
  return 0;
}

}  // namespace gibbon::app
