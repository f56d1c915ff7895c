#pragma once

#include <string>

namespace gibbon::agent::test {

/// Makes a database as the builds of that layout made it: from 1 on with the services "a" and "b", and a
/// route "r" and a plugin "p" of "a"; 0 is an empty file. A layout that has no database here fails the test.
void make_layout(const std::string& file, int layout);
/// Runs SQL on a database; the test fails where it fails.
void execute(const std::string& file, const char* sql);

}  // namespace gibbon::agent::test
