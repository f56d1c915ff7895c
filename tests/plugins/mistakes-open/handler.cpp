#include "../mistakes.hpp"

GIBBON_PLUGIN("mistakes-open", mistakes::FilterHandler<gibbon::FailurePolicy::kOpen>, mistakes::Config, mistakes::schema)
