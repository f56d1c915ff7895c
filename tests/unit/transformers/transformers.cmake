# What request-transformer and response-transformer do, without their handlers.
set(transformers ${CMAKE_SOURCE_DIR}/plugins)
file(GLOB transformer_sources CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_SOURCE_DIR}/transformers/*.cpp ${transformers}/common/*.cpp
  ${transformers}/request-transformer/*.cpp ${transformers}/response-transformer/*.cpp)
list(FILTER transformer_sources EXCLUDE REGEX "/handler\\.cpp$")
add_executable(test_transformers ${transformer_sources} ${CMAKE_CURRENT_SOURCE_DIR}/support/plugin_rows.cpp
  ${transformers}/rate-limiting/schema.cpp ${transformers}/prometheus/schema.cpp)
target_include_directories(test_transformers PRIVATE ${transformers} ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_transformers PRIVATE gibbon_config gibbon_options GTest::gtest GTest::gmock GTest::gtest_main)
add_test(NAME transformers COMMAND test_transformers)
set_tests_properties(transformers PROPERTIES TIMEOUT 60)
