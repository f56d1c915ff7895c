#include "../probe.hpp"

GIBBON_PLUGIN("kit-probe", probe::Handler, probe::Config, probe::schema)
