#include "../waiting.hpp"

GIBBON_PLUGIN("waiting-open", waiting::Handler<gibbon::FailurePolicy::kOpen>, waiting::Config, waiting::schema)
