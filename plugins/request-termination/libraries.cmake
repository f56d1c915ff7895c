target_link_libraries(plugin-request-termination PRIVATE simdjson::simdjson)
