# What comes from the system. The Debian package of each stands in deploy/packages.txt.

find_package(Threads REQUIRED)
# Module mode, and before gRPC: Debian ships no config file for protobuf.
find_package(Protobuf REQUIRED)
# Cached by pkg_check_modules below; gRPC would take it for its own find and lack the target re2::re2 the second time.
unset(re2_FOUND CACHE)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Eigen3 3.4 CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
# Only tests and benchmarks need these: without them the programs are built all the same.
find_package(GTest CONFIG QUIET)
find_package(benchmark CONFIG QUIET)

find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
# The core alone: its CMake package wants what serves and pushes metrics, too, which we do ourselves.
pkg_check_modules(prometheus_cpp_core REQUIRED IMPORTED_TARGET prometheus-cpp-core)
# The allocator of coordinator and worker: objects are made by one thread and freed by another, where glibc's takes a fifth more CPU.
# Sanitizers bring their own.
if(NOT CANDOR_SANITIZE AND NOT CANDOR_FUZZ)
  pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
endif()
