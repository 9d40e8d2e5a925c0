// What the tests of this room share.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"
#include "common/base/violations.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

namespace candor::scenario {

// A message from its text format. Fails the test when the text is wrong.
template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A valid scenario with three attributes.
inline v1::Scenario GardenPlot(const std::string& id = "garden_plot") {
  auto scenario = FromText<v1::Scenario>(R"pb(
    role: "a retired nurse"
    question: "Which plot would you take on?"
    attributes { name: "sunlight" unit: "hours" min: 1 max: 9 }
    attributes { name: "rent" unit: "euros" min: 10 max: 60 }
    attributes { name: "quiet" min: 0.25 max: 1 }
  )pb");
  scenario.set_id(id);
  return scenario;
}

// "field: description" of each, a line each.
inline std::string Text(const FieldViolations& violations) {
  std::string text;
  for (const FieldViolation& violation : violations) {
    text += violation.field + ": " + violation.description + "\n";
  }
  return text;
}

}  // namespace candor::scenario
