#pragma once

// Boost.JSON is the tree that configuration travels in; hot paths read with simdjson instead.
#include <boost/json.hpp>

namespace gibbon {
namespace json = boost::json;
}
