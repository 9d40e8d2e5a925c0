// What the same number of waiting calls takes with the usual parts: Asio coroutines, a buffer a
// call, and for TLS Asio's own ssl::stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace candor::bench {

// The whole of a process of its own: makes `calls` calls, each on a connection of its own, and once
// all wait for their answers prints its resident memory in MB: before, then, and the most.
// `ca_file` empty: plain.
int RunReferenceClient(std::uint16_t port, std::size_t calls, const std::string& ca_file);

}  // namespace candor::bench
