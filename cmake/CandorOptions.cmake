# Compile and link options of every target: C++20, warnings as errors, hardening (promise S14), sanitizers, ccache, mold.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

set(CANDOR_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize: address,undefined or thread")
option(CANDOR_FUZZ "Build the fuzzers of tests/fuzz (clang with libFuzzer; tests/fuzz/net/CMakeLists.txt says how)" OFF)

find_program(CANDOR_CCACHE ccache)
if(CANDOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Relative paths and no directory in the hash: a second checkout or preset finds the first one's objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CANDOR_CCACHE})
endif()

find_program(CANDOR_MOLD mold)
if(CANDOR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(candor_options INTERFACE)
target_include_directories(candor_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(candor_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wformat=2
  -Wimplicit-fallthrough -Werror
  # g++ 12 takes Asio's frame allocator for a mismatch, and designated initialisers that rely on defaults for a slip.
  -Wno-mismatched-new-delete -Wno-missing-field-initializers
  -fstack-protector-strong -fno-omit-frame-pointer)
target_compile_definitions(candor_options INTERFACE _GLIBCXX_ASSERTIONS
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS SPDLOG_FMT_EXTERNAL)

if(CANDOR_SANITIZE)
  target_compile_options(candor_options INTERFACE
    -fsanitize=${CANDOR_SANITIZE} -fno-sanitize-recover=all
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    # clang 14 cannot write its check of function types (a part of "undefined") for coroutines.
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  target_link_options(candor_options INTERFACE -fsanitize=${CANDOR_SANITIZE})
  if("thread" IN_LIST CANDOR_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 cannot instrument fences. Asio's only add to what its locks order already.
    target_compile_definitions(candor_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
else()
  target_compile_definitions(candor_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(candor_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(CANDOR_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CANDOR_FUZZ needs clang, and this is ${CMAKE_CXX_COMPILER_ID}: "
                        "configure with -DCMAKE_CXX_COMPILER=clang++")
  endif()
  # Coverage feedback from every room. Only the fuzzers link the driver.
  target_compile_options(candor_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

include(CheckPIESupported)
check_pie_supported()
