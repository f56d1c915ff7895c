#include "../waiting.hpp"

GIBBON_PLUGIN("waiting-closed", waiting::Handler<gibbon::FailurePolicy::kClosed>, waiting::Config, waiting::schema)
