# libslipstream: all layers that programs embed, in one library, with its headers and its pkg-config file. SLIPSTREAM_SHARED
# says which kind; the shim layer of the bindings is in it when they are built.
option(SLIPSTREAM_SHARED "libslipstream as a shared library (otherwise static)" ON)
include(GNUInstallDirs)

set(slipstream_objects)
foreach(layer block store cache disk stream engine)
  if(TARGET slipstream_${layer})
    list(APPEND slipstream_objects $<TARGET_OBJECTS:slipstream_${layer}>)
  endif()
endforeach()
if(TARGET slipstream_binding)
  list(APPEND slipstream_objects $<TARGET_OBJECTS:slipstream_binding>)
endif()

set(slipstream_kind STATIC)
if(SLIPSTREAM_SHARED)
  set(slipstream_kind SHARED)
endif()
add_library(slipstream_library ${slipstream_kind} ${slipstream_objects})
set_target_properties(slipstream_library PROPERTIES OUTPUT_NAME slipstream LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_link_libraries(slipstream_library PRIVATE slipstream_flags PkgConfig::libtorrent)

# What a static library leaves to who links it; a shared one carries it.
set(SLIPSTREAM_PC_PRIVATE "Requires.private: libcrypto")
set(SLIPSTREAM_PC_LIBS "-lstdc++ -lm -lpthread")
if(TARGET slipstream_engine)
  target_link_libraries(slipstream_library PRIVATE spdlog::spdlog fmt::fmt)
  set(SLIPSTREAM_PC_PRIVATE "Requires.private: libcrypto spdlog fmt")
endif()
set(SLIPSTREAM_PC_REQUIRES "libtorrent-rasterbar >= 2.0.8")
if(NOT SLIPSTREAM_SHARED)
  string(REPLACE "Requires.private: " ", " more "${SLIPSTREAM_PC_PRIVATE}")
  string(APPEND SLIPSTREAM_PC_REQUIRES "${more}")
  set(SLIPSTREAM_PC_PRIVATE "")
endif()

# Two of them: of the build tree, and of what is installed, which finds itself by its own place.
set(SLIPSTREAM_PC_PREFIX ${PROJECT_SOURCE_DIR})
set(SLIPSTREAM_PC_LIBDIR ${CMAKE_BINARY_DIR})
set(SLIPSTREAM_PC_CFLAGS "-I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/bindings/cpp")
configure_file(${PROJECT_SOURCE_DIR}/cmake/slipstream.pc.in ${CMAKE_BINARY_DIR}/pkgconfig/slipstream.pc @ONLY)
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(SLIPSTREAM_PC_PREFIX "\${pcfiledir}/${up}")
string(REGEX REPLACE "/$" "" SLIPSTREAM_PC_PREFIX "${SLIPSTREAM_PC_PREFIX}")
set(SLIPSTREAM_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(SLIPSTREAM_PC_CFLAGS "-I\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/slipstream.pc.in ${CMAKE_BINARY_DIR}/slipstream-installed.pc @ONLY)

install(TARGETS slipstream_library LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/slipstream DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/slipstream-installed.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig RENAME slipstream.pc)
