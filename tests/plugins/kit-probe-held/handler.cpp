#include "../probe.hpp"

GIBBON_PLUGIN("kit-probe-held", probe::HeldHandler, probe::Config, probe::schema)
