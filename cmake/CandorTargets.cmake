# The three kinds of target. A room is one library with the name of its folder: coordinator/engine is candor_engine.

include(GoogleTest)

# candor_library(NAME SRCS a.cc ... DEPS lib ...)
function(candor_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} candor_options)
endfunction()

# candor_program(NAME [SERVER] SRCS a.cc ... DEPS lib ...): lands in build/<preset>/bin. SERVER: runs for long, with jemalloc.
function(candor_program name)
  cmake_parse_arguments(ARG "SERVER" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} candor_options)
  if(ARG_SERVER AND TARGET PkgConfig::jemalloc)
    # Its malloc takes the place of libc's without being named: kept though no symbol asks for it.
    target_link_options(${name} PRIVATE LINKER:--no-as-needed)
    target_link_libraries(${name} PRIVATE PkgConfig::jemalloc)
  endif()
  target_compile_definitions(${name} PRIVATE CANDOR_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# candor_test(NAME SRCS a_test.cc ... DEPS lib ... [LABELS unit]): one program of GoogleTest cases. Labels choose what
# ./check runs: "unit" and "integration" always, "long" with --all.
function(candor_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main candor_options)
  target_compile_definitions(${name} PRIVATE CANDOR_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             CANDOR_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# candor_bench(NAME SRCS a_bench.cc ... DEPS lib ...): a program of benchmarks in build/<preset>/bench; run by hand.
function(candor_bench name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} candor_options)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()
