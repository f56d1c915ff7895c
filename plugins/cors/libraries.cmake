target_link_libraries(plugin-cors PRIVATE PkgConfig::PCRE2)
