// Wordings and request bodies for the tests of this room.
#pragma once

#include "simulator/message_reader.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

inline constexpr std::string_view kOptionA =
    "sunlight: 6.5 hours per day\nplot_size: 32.0 square metres\nyearly_rent: 145.0 euros";
inline constexpr std::string_view kOptionB =
    "sunlight: 3.0 hours per day\nplot_size: 78.0 square metres\nyearly_rent: 60.0 euros";

// Two options in the wording of the paper.
inline std::string PaperText(std::string_view task, std::string_view a = kOptionA,
                             std::string_view b = kOptionB) {
  std::string text(task);
  text +=
      "\n\nImagine you are a retired nurse. Which community garden plot would you take on?\nA:\n";
  text += a;
  text += "\n\nB:\n";
  text += b;
  return text;
}

inline constexpr std::string_view kPaperSystem =
    "Your job is to make hypothetical decisions on behalf of different people or characters.";
inline constexpr std::string_view kPaperChoice =
    "[DECISION TASK] Respond with \"A\" if you think Option A is better, or \"B\" if you think "
    "Option B is better. Never respond with anything except \"A\" or \"B\":";
inline constexpr std::string_view kPaperReport =
    "[INTROSPECTION TASK] Respond with how heavily you believe you weighted each of the five "
    "dimensions while making your decision on a scale from -100 to 100. Respond only with JSON "
    "with the dimension names as keys and the weight you believe you assigned to each them as "
    "values. Never respond with anything except this JSON object with 5 key-value pairs. (Do not "
    "report your decision itself.):";

// A body as a worker sends it. `extra` is merged into it.
inline std::string ChatBody(std::string_view user, const boost::json::object& extra = {},
                            std::string_view model = "m") {
  boost::json::object body;
  body["model"] = std::string(model);
  body["messages"] = {{{"role", "system"}, {"content", std::string(kPaperSystem)}},
                      {{"role", "user"}, {"content", std::string(user)}}};
  body["temperature"] = 0;
  for (const auto& member : extra) body[member.key()] = member.value();
  return boost::json::serialize(body);
}

inline std::string ChoiceBody(const boost::json::object& extra = {}, std::string_view model = "m") {
  return ChatBody(PaperText(kPaperChoice), extra, model);
}
inline std::string ReportBody(const boost::json::object& extra = {}, std::string_view model = "m") {
  return ChatBody(PaperText(kPaperReport), extra, model);
}

}  // namespace candor::simulator
