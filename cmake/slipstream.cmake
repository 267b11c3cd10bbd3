# What every target of the project shares: warnings, sanitizers, ccache, the libraries it stands on.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
# A program that embeds the disk alone, or the engine, needs what these layers stand on and no more.
set(SLIPSTREAM_LAYERS block store cache disk stream engine http cli CACHE STRING "layers to build, lowest first")
if("stream" IN_LIST SLIPSTREAM_LAYERS)
  find_package(fmt REQUIRED)
endif()
if("engine" IN_LIST SLIPSTREAM_LAYERS)
  find_package(spdlog REQUIRED)
endif()
if("http" IN_LIST SLIPSTREAM_LAYERS)
  find_package(nlohmann_json REQUIRED)
endif()
if("cli" IN_LIST SLIPSTREAM_LAYERS)
  find_package(CLI11 REQUIRED)
endif()
# The flags change libtorrent's ABI, so they come from the library's own description.
pkg_check_modules(libtorrent REQUIRED IMPORTED_TARGET libtorrent-rasterbar>=2.0.8)

find_program(ccache ccache)
if(ccache)
  # Precompiled headers and ccache agree only with these (see ccache's manual).
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${ccache})
endif()

add_library(slipstream_flags INTERFACE)
# The public headers are C++20. Warnings are ours: a program that embeds us keeps its own.
target_compile_features(slipstream_flags INTERFACE cxx_std_20)
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(slipstream_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
elseif(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # What GUARDED_BY and the like in block/mutex.hpp are for.
  target_compile_options(slipstream_flags INTERFACE -Wthread-safety -Werror=thread-safety)
endif()
target_compile_options(slipstream_flags INTERFACE -fno-omit-frame-pointer)
if(ccache AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(slipstream_flags INTERFACE -fpch-preprocess)
endif()
# Debian's libtorrent is built with its deprecated functions; the ABI needs their declarations.
target_compile_options(slipstream_flags INTERFACE -Wno-deprecated-declarations)
target_include_directories(slipstream_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(slipstream_flags INTERFACE Threads::Threads)
if(SLIPSTREAM_SANITIZE)
  target_compile_options(slipstream_flags INTERFACE
    -fsanitize=${SLIPSTREAM_SANITIZE} -fno-sanitize-recover=all)
  target_compile_definitions(slipstream_flags INTERFACE SLIPSTREAM_WATCH_LOCKS) # src/block/mutex.hpp
  target_link_options(slipstream_flags INTERFACE -fsanitize=${SLIPSTREAM_SANITIZE})
  # gcc 12 reports false positives of these under sanitizers.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(slipstream_flags INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
  endif()
endif()

# slipstream_layer(<name> SOURCES ... DEPENDS ... [PCH <target>])
# One static library a layer. DEPENDS names the layers and libraries below it, and nothing else links.
function(slipstream_layer name)
  cmake_parse_arguments(arg "" "PCH" "SOURCES;DEPENDS" ${ARGN})
  add_library(slipstream_${name} STATIC ${arg_SOURCES})
  target_link_libraries(slipstream_${name} PUBLIC slipstream_flags ${arg_DEPENDS})
  if(arg_PCH)
    target_precompile_headers(slipstream_${name} REUSE_FROM ${arg_PCH})
  endif()
endfunction()
