# The plugin in a gateway of the kit's, with a Redis of the test's.
file(GLOB rate_limiting_sources CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_SOURCE_DIR}/rate-limiting/*.cpp ${CMAKE_SOURCE_DIR}/plugins/rate-limiting/*.cpp)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
add_executable(test_rate_limiting ${rate_limiting_sources})
target_link_libraries(test_rate_limiting PRIVATE
  gibbon_testing gibbon_options PkgConfig::HIREDIS GTest::gtest GTest::gtest_main)
add_test(NAME rate-limiting COMMAND test_rate_limiting)
set_tests_properties(rate-limiting PROPERTIES TIMEOUT 60)
