// Debian has no libboost-json: this is its only translation unit.
#include <boost/json/src.hpp>
