#include "../mistakes.hpp"

GIBBON_PLUGIN("mistakes-held-closed", mistakes::ResponseHandler<gibbon::FailurePolicy::kClosed>, mistakes::Config, mistakes::schema)
