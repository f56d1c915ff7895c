#include "../mistakes.hpp"

GIBBON_PLUGIN("mistakes-closed", mistakes::FilterHandler<gibbon::FailurePolicy::kClosed>, mistakes::Config, mistakes::schema)
