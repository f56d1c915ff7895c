# JSON is read with Boost.JSON, compiled into the plugin.
target_sources(plugin-${name} PRIVATE
  ${CMAKE_SOURCE_DIR}/plugins/common/json_object.cpp ${CMAKE_SOURCE_DIR}/src/base/boost_json.cpp)
