# Sets NGINX_INCLUDE_DIRS. Debian's nginx-dev ships nginx's headers and the flags that its nginx was configured
# with, but no ngx_auto_config.h: nginx's own configure makes it here, in the build folder (about 5 s, once).
set(NGINX_SOURCE /usr/share/nginx/src)
if(NOT EXISTS ${NGINX_SOURCE}/conf_flags)
  message(FATAL_ERROR "nginx's headers are missing: install Debian's package nginx-dev")
endif()
set(nginx_build ${CMAKE_BINARY_DIR}/nginx)
if(NOT EXISTS ${nginx_build}/objs/ngx_auto_config.h OR ${NGINX_SOURCE}/conf_flags IS_NEWER_THAN ${nginx_build}/objs/ngx_auto_config.h)
  message(STATUS "Configuring nginx's headers")
  file(REMOVE_RECURSE ${nginx_build})
  file(MAKE_DIRECTORY ${nginx_build})
  execute_process(
    COMMAND bash -c "cp -r ${NGINX_SOURCE}/. tree && cd tree && source ./conf_flags && chmod +x configure && ./configure --builddir=../objs \"\${NGX_CONF_FLAGS[@]}\""
    WORKING_DIRECTORY ${nginx_build} OUTPUT_FILE configure.log ERROR_FILE configure.err RESULT_VARIABLE result)
  if(NOT EXISTS ${nginx_build}/objs/ngx_auto_config.h)
    message(FATAL_ERROR "nginx's configure failed (${result}): see ${nginx_build}/configure.err")
  endif()
endif()
set(NGINX_INCLUDE_DIRS
  ${nginx_build}/objs
  ${NGINX_SOURCE}/src/core ${NGINX_SOURCE}/src/event ${NGINX_SOURCE}/src/event/modules
  ${NGINX_SOURCE}/src/os/unix ${NGINX_SOURCE}/src/http ${NGINX_SOURCE}/src/http/modules ${NGINX_SOURCE}/src/http/v2)
