#pragma once

namespace gibbon {

/// Lets the calling thread give way to others where they share a core: for work of many milliseconds beside an event
/// loop. It keeps about a tenth of a busy core, in slices of 0.1 ms. Why so: docs/decisions/0009.
void give_way();

}  // namespace gibbon
