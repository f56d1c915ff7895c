#include "../mistakes.hpp"

GIBBON_PLUGIN("mistakes-held-open", mistakes::ResponseHandler<gibbon::FailurePolicy::kOpen>, mistakes::Config, mistakes::schema)
