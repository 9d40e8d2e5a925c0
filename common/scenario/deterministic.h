// Hashes of messages. Private to the room.
#pragma once

#include <google/protobuf/message_lite.h>

#include <string>

namespace candor::scenario {

// SHA-256, in hexadecimal, of the message's deterministic serialisation: equal messages have equal
// hashes, maps included.
std::string DeterministicHash(const google::protobuf::MessageLite& message);

}  // namespace candor::scenario
