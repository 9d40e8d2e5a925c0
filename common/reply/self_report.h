// A self-report, one number an attribute, read from a model's reply.
//
//   ParseSelfReport({.text = "{\"price\": 80, \"size\": -20}"}, {"price", "size"})
//       VALID, {80, -20}
//   ParseSelfReport({.text = "Sure! {'Price': '80%', 'size': -20,}"}, {"price", "size"})
//       REPAIRED, {80, -20}, {"surrounding_prose", "single_quotes", "extra_comma", ...}
//
// Classes beyond those of reply.h, the first that applies to a report that was found:
//
//   TRUNCATED          finish reason length, the object is not closed, and an attribute has no
//                      number. A number that touches the cut is none: "8" may have been "80".
//   UNKNOWN_ATTRIBUTE  a key is no attribute, or could be several. It comes first because a
//                      misnamed attribute is missing, too.
//   MISSING_ATTRIBUTE  no number for an attribute: no key, or null, a boolean, a word, a range.
//   OUT_OF_RANGE       all numbers are there, and one is outside [-100, 100]: what an analysis
//                      may take as is, clipped or dropped.
//   REPAIRED, VALID    all numbers are there, in range.
//
// NOT_JSON is a text without an object, unless each attribute has one line such as "price: 80":
// that is REPAIRED. Of several objects counts the last that has a number for every attribute (a
// draft comes before the answer); where none has, objects that never name an attribute twice are
// read as one, and failing that the last of those with the most numbers.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/reply/reply.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace candor::reply {

struct ParsedReport {
  // Any class but NOT_A_CHOICE.
  v1::Outcome::Class class_ = v1::Outcome::CLASS_UNSPECIFIED;
  // One an attribute, in the order of `attribute_names`, as given: out-of-range values are kept,
  // and none is NaN or infinite. Empty when no report was found.
  std::vector<std::optional<double>> values;
  // See the table in reply.h. Empty when VALID or when no report was found.
  std::vector<std::string> repairs;
};

// `attribute_names` are those of the scenario, each once.
ParsedReport ParseSelfReport(const Reply& reply, std::span<const std::string> attribute_names);

}  // namespace candor::reply
