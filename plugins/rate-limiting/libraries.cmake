# RESP, as Redis speaks it.
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
target_link_libraries(plugin-rate-limiting PRIVATE PkgConfig::HIREDIS)
