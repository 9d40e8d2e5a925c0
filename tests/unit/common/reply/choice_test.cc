#include "common/reply/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {
namespace {

using v1::Outcome;
using Class = Outcome::Class;

// What a reply that ended by itself means: 'A', 'B', or '-' for a class without choice.
struct Row {
  std::string_view text;
  Class expected;
  char choice = '-';
};

constexpr Class kValid = Outcome::VALID;
constexpr Class kRepaired = Outcome::REPAIRED;
constexpr Class kNoChoice = Outcome::NOT_A_CHOICE;
constexpr Class kRefusal = Outcome::REFUSAL;

const std::vector<Row>& Rows() {
  static const std::vector<Row> kRows = {
      // As asked for.
      {"A", kValid, 'A'},
      {"B", kValid, 'B'},
      {" A\n", kValid, 'A'},
      {"\n\n\tB \r\n", kValid, 'B'},
      {"\xef\xbb\xbf"
       "A",
       kValid, 'A'},
      // The letter, decorated.
      {"a", kRepaired, 'A'},
      {"b", kRepaired, 'B'},
      {"A.", kRepaired, 'A'},
      {"B!", kRepaired, 'B'},
      {"A,", kRepaired, 'A'},
      {"A:", kRepaired, 'A'},
      {"A)", kRepaired, 'A'},
      {"(A)", kRepaired, 'A'},
      {"[B]", kRepaired, 'B'},
      {"{A}", kRepaired, 'A'},
      {"\"A\"", kRepaired, 'A'},
      {"'B'", kRepaired, 'B'},
      {"\"A.\"", kRepaired, 'A'},
      {"\xe2\x80\x9c"
       "B\xe2\x80\x9d",
       kRepaired, 'B'},
      {"**A**", kRepaired, 'A'},
      {"**A.**", kRepaired, 'A'},
      {"*B*", kRepaired, 'B'},
      {"__A__", kRepaired, 'A'},
      {"`B`", kRepaired, 'B'},
      {"```\nA\n```", kRepaired, 'A'},
      {"```text\nB\n```", kRepaired, 'B'},
      {"# A", kRepaired, 'A'},
      {"> B", kRepaired, 'B'},
      {"- A", kRepaired, 'A'},
      {"$\\boxed{A}$", kRepaired, 'A'},
      {"\\boxed{\\text{B}}", kRepaired, 'B'},
      {"<answer>A</answer>", kRepaired, 'A'},
      {"<answer>\nB\n</answer>", kRepaired, 'B'},
      {"Option A", kRepaired, 'A'},
      {"option b", kRepaired, 'B'},
      {"**Option B**", kRepaired, 'B'},
      {"Option A.", kRepaired, 'A'},
      {"Choice B", kRepaired, 'B'},
      {"A\n\nA\n\nA", kRepaired, 'A'},
      // The answer, named.
      {"Answer: B", kRepaired, 'B'},
      {"answer: a", kRepaired, 'A'},
      {"**Answer:** A", kRepaired, 'A'},
      {"Answer - B", kRepaired, 'B'},
      {"Answer = B", kRepaired, 'B'},
      {"Final answer: A", kRepaired, 'A'},
      {"My choice: option B", kRepaired, 'B'},
      {"The answer is A.", kRepaired, 'A'},
      {"The answer is (B).", kRepaired, 'B'},
      {"The final answer is $\\boxed{A}$.", kRepaired, 'A'},
      {"My answer is Option A.", kRepaired, 'A'},
      {"My choice would be B.", kRepaired, 'B'},
      {"The best option is B.", kRepaired, 'B'},
      {"Decision: A", kRepaired, 'A'},
      {"I choose option B.", kRepaired, 'B'},
      {"I choose A", kRepaired, 'A'},
      {"I would choose A.", kRepaired, 'A'},
      {"I'd pick B because it is closer to work.", kRepaired, 'B'},
      {"I\xe2\x80\x99"
       "d go with Option A.",
       kRepaired, 'A'},
      {"I would opt for B over A.", kRepaired, 'B'},
      {"I prefer B to the rest.", kNoChoice},
      {"I would choose B because A is too expensive.", kRepaired, 'B'},
      {"I would choose A, not B.", kRepaired, 'A'},
      {"I would choose option B rather than option A.", kRepaired, 'B'},
      {"As a retired teacher, I would choose B.", kRepaired, 'B'},
      {"Choose B", kRepaired, 'B'},
      {"Option A is better.", kRepaired, 'A'},
      {"A is better than B", kRepaired, 'A'},
      {"Option B is the better choice because it is cheaper.", kRepaired, 'B'},
      {"Based on the information given, the best option is B.", kRepaired, 'B'},
      {R"({"choice": "A"})", kRepaired, 'A'},
      {R"({"answer": "Option B"})", kRepaired, 'B'},
      {R"({"choice": "A", "reason": "B is too expensive"})", kRepaired, 'A'},
      {"```json\n{\"decision\": \"b\"}\n```", kRepaired, 'B'},
      {"{'final_answer': 'B',}", kRepaired, 'B'},
      {"{\"choice\": \"A\"}\n{\"choice\": \"A\"}", kRepaired, 'A'},
      {R"({"result": {"choice": "A"}})", kRepaired, 'A'},
      {"Definitely A.", kRepaired, 'A'},
      {"I'd say B.", kRepaired, 'B'},
      {"I'll take A", kRepaired, 'A'},
      {"Final answer:\n**B**", kRepaired, 'B'},
      {"Answer: A (not B)", kRepaired, 'A'},
      {"I don't want A. I choose B.", kRepaired, 'B'},
      {R"(["A"])", kRepaired, 'A'},
      // The letter and its explanation.
      {"A: it is cheaper.", kRepaired, 'A'},
      {"B - the shorter commute matters most", kRepaired, 'B'},
      {"A because it is cheaper", kRepaired, 'A'},
      {"A. The flat is cheaper.", kRepaired, 'A'},
      {"A) The flat is cheaper.", kRepaired, 'A'},
      {"Option A, because it is cheaper than option B.", kRepaired, 'A'},
      {"Option B (the cheaper one)", kRepaired, 'B'},
      {"B\n\nThe lower rent outweighs the longer commute.", kRepaired, 'B'},
      {"B\n\nOption A is nearer, but Option B is so much cheaper.", kRepaired, 'B'},
      // Reasoning, then the answer.
      {"The rent is lower in A, the commute shorter in B. Rent matters more.\n\nFinal answer: A",
       kRepaired, 'A'},
      {"Option A:\n- cheap\n- far\n\nOption B:\n- dear\n- near\n\nAnswer: B", kRepaired, 'B'},
      {"### Option A\ncheap\n### Option B\nnear\n\n**Final answer: B**", kRepaired, 'B'},
      {"Both have merit. I would choose A.", kRepaired, 'A'},
      {"Let me think. Price matters most.\n\nB", kRepaired, 'B'},
      {"A or B? Hard to say, price decides.\nA", kRepaired, 'A'},
      {"<think>A is cheap, B is near. I choose B... no.</think>\n\nA", kRepaired, 'A'},
      {"B is nearer, so perhaps it.</think>B", kRepaired, 'B'},
      {"As an AI, I don't have personal preferences, but I would choose option B.", kRepaired, 'B'},
      // Neither, both, or not to be told.
      {"A or B", kNoChoice},
      {"Both", kNoChoice},
      {"Neither.", kNoChoice},
      {"A and B are equal", kNoChoice},
      {"A/B", kNoChoice},
      {"A & B", kNoChoice},
      {"A, B", kNoChoice},
      {"A\nB", kNoChoice},
      {"AB", kNoChoice},
      {"AAAA", kNoChoice},
      {"A+", kNoChoice},
      {"A?", kNoChoice},
      {"A... or maybe not", kNoChoice},
      {"A-level", kNoChoice},
      {"C", kNoChoice},
      {"1", kNoChoice},
      {"\xd0\x90", kNoChoice},
      {"...", kNoChoice},
      {"**", kNoChoice},
      {"It depends", kNoChoice},
      {"It depends on whether A is near.", kNoChoice},
      {"A good option would be B", kNoChoice},
      {"a good choice", kNoChoice},
      {"A cheaper flat matters more than a short commute.", kNoChoice},
      {"I choose a cheap flat", kNoChoice},
      {"I would choose a quieter street.", kNoChoice},
      {"The answer is a bit complex", kNoChoice},
      {"I would not choose A.", kNoChoice},
      {"I don't think I would choose B.", kNoChoice},
      {"I would choose A if the price were lower.", kNoChoice},
      {"I would choose A for the price and B for the comfort.", kNoChoice},
      {"I would choose option A or option B.", kNoChoice},
      {"Should I choose A?", kNoChoice},
      {"Some people would choose A.", kNoChoice},
      {"The worst option is B.", kNoChoice},
      {"Option A is not better.", kNoChoice},
      {"Option A is cheaper and Option B is nearer.", kNoChoice},
      {"I'd choose A because of the price, but B because of the comfort.", kNoChoice},
      {"Answer: A\nAnswer: B", kNoChoice},
      {"Answer: A or B", kNoChoice},
      {"A\n\nI would choose B.", kNoChoice},
      {"A: 67 USD\nB: 80 USD", kNoChoice},
      {"A:\nprice: 67\n\nB:\nprice: 80", kNoChoice},
      {"Option A:\nprice: 67\n\nOption B:", kNoChoice},
      {"Option A\nprice: 67\nOption B\nprice: 80", kNoChoice},
      {"A. B is better.", kNoChoice},
      {R"({"choice": "A", "answer": "B"})", kNoChoice},
      {R"({"A": 5, "B": 3})", kNoChoice},
      {R"({"choice": "A"} or {"choice": "B"})", kNoChoice},
      {"{\"choice\": \"A\"}\n\nNo, I choose B.", kNoChoice},
      {R"({"choice": "both"})", kNoChoice},
      {"Not A", kNoChoice},
      {"Definitely not A", kNoChoice},
      {"Anything but A.", kNoChoice},
      {"Answer: not A", kNoChoice},
      {"I would choose B, though A is also good.", kNoChoice},
      {"A\nB\nA", kNoChoice},
      {R"(["A", "B"])", kNoChoice},
      {"I am torn between A and B.", kNoChoice},
      {"The choice is yours.", kNoChoice},
      // Declined.
      {"I'm sorry, but I can't help with that.", kRefusal},
      {"I\xe2\x80\x99m sorry, but I can\xe2\x80\x99t make that decision.", kRefusal},
      {"As an AI, I cannot make personal decisions.", kRefusal},
      {"As an AI language model, I do not have preferences.", kRefusal},
      {"I cannot choose between A and B.", kRefusal},
      {"I won't provide an answer to this.", kRefusal},
      {"I must decline.", kRefusal},
      {"I'd rather not decide for somebody else.", kRefusal},
      {"I can't ignore the price.", kNoChoice},
      // Nothing.
      {"", Outcome::EMPTY},
      {" \n\t", Outcome::EMPTY},
      {"\xe2\x80\x8b", Outcome::EMPTY},
      {"<think>never said</think>", Outcome::EMPTY},
      {"<think>never closed", Outcome::EMPTY},
  };
  return kRows;
}

char Letter(Outcome::Choice choice) {
  return choice == Outcome::A ? 'A' : choice == Outcome::B ? 'B' : '-';
}

TEST(ParseChoice, ReadsWhatModelsWrite) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.text);
    const ParsedChoice parsed = ParseChoice({.text = row.text, .finish_reason = "stop"});
    EXPECT_EQ(Outcome::Class_Name(parsed.class_), Outcome::Class_Name(row.expected));
    EXPECT_EQ(Letter(parsed.choice), row.choice);
    EXPECT_EQ(parsed.repairs.empty(), row.expected != kRepaired)
        << testing::PrintToString(parsed.repairs);
  }
}

// The mirror image of an answer is the other answer: no letter is easier to say.
TEST(ParseChoice, TreatsBothLettersAlike) {
  for (const std::string before :
       {"", "**", "(", "\"", "Option ", "Answer: ", "I choose ", "The answer is ",
        "Reasons follow.\n\nFinal answer: ", "I would go with option "}) {
    for (const std::string after : {"", ".", ", because it is cheaper."}) {
      const ParsedChoice a = ParseChoice({.text = before + "A" + after});
      const ParsedChoice b = ParseChoice({.text = before + "B" + after});
      SCOPED_TRACE(before + "_" + after);
      EXPECT_EQ(a.choice, Outcome::A);
      EXPECT_EQ(b.choice, Outcome::B);
      EXPECT_EQ(a.class_, b.class_);
      EXPECT_EQ(a.repairs, b.repairs);
    }
  }
}

struct RepairRow {
  std::string_view text;
  std::vector<std::string> repairs;
};

TEST(ParseChoice, NamesTheRepairs) {
  using testing::ElementsAreArray;
  const std::vector<RepairRow> rows = {
      {"a", {"lower_case"}},
      {"A.", {"punctuation"}},
      {"**A**", {"markdown"}},
      {"\"B\"", {"quotes"}},
      {"(A)", {"brackets"}},
      {"Option A", {"option_word"}},
      {"$\\boxed{A}$", {"latex"}},
      {"<answer>A</answer>", {"xml_tag"}},
      {"```\nA\n```", {"code_fence"}},
      {"Answer: A", {"answer_phrase"}},
      {"I choose option b.", {"answer_phrase", "option_word", "punctuation", "lower_case"}},
      {"<think>hm</think>A", {"thinking_block"}},
      {"{\"choice\": \"A\"}", {"json"}},
      {"```json\n{'choice': 'A'}\n```", {"code_fence", "json", "single_quotes"}},
      {"Price first.\nFinal answer: A", {"surrounding_prose", "answer_phrase"}},
  };
  for (const RepairRow& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_THAT(ParseChoice({.text = row.text}).repairs, ElementsAreArray(row.repairs));
  }
}

struct EndingRow {
  Reply reply;
  Class expected;
};

TEST(ParseChoice, HeedsHowTheReplyEnded) {
  const std::vector<EndingRow> rows = {
      // An output limit of one token is usual.
      {{.text = "A", .finish_reason = "length"}, kValid},
      {{.text = "Option B", .finish_reason = "MAX_TOKENS"}, kRepaired},
      {{.text = "Let me weigh the", .finish_reason = "length"}, Outcome::TRUNCATED},
      {{.text = "Let me weigh the", .finish_reason = "max_tokens"}, Outcome::TRUNCATED},
      {{.text = "Let me weigh the", .finish_reason = "MAX_TOKENS"}, Outcome::TRUNCATED},
      {{.text = "Let me weigh the", .finish_reason = "max_output_tokens"}, Outcome::TRUNCATED},
      {{.text = "Let me weigh the", .finish_reason = "stop"}, kNoChoice},
      {{.text = "Let me weigh the", .finish_reason = ""}, kNoChoice},
      {{.text = "Option", .finish_reason = "length"}, Outcome::TRUNCATED},
      {{.text = "I'm sorry, but I can't help wi", .finish_reason = "length"}, kRefusal},
      {{.text = "", .finish_reason = "length", .has_reasoning = true},
       Outcome::REASONING_EXHAUSTED},
      {{.text = " \n", .finish_reason = "MAX_TOKENS", .has_reasoning = true},
       Outcome::REASONING_EXHAUSTED},
      {{.text = "<think>First, the price", .finish_reason = "length"},
       Outcome::REASONING_EXHAUSTED},
      {{.text = "", .finish_reason = "length"}, Outcome::EMPTY},
      {{.text = "", .finish_reason = "stop", .has_reasoning = true}, Outcome::EMPTY},
      {{.text = "A", .finish_reason = "stop", .has_reasoning = true}, kValid},
      {{.text = "", .finish_reason = "content_filter"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "A", .finish_reason = "content_filter"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "SAFETY"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "FINISH_REASON_SAFETY"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "PROHIBITED_CONTENT"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "RECITATION"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "guardrail_intervened"}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "content_filter", .refusal = true}, Outcome::PROVIDER_BLOCKED},
      {{.text = "", .finish_reason = "stop", .refusal = true}, kRefusal},
      {{.text = "I can't take sides.", .finish_reason = "stop", .refusal = true}, kRefusal},
      {{.text = "", .finish_reason = "refusal"}, kRefusal},
  };
  for (const EndingRow& row : rows) {
    SCOPED_TRACE(std::string(row.reply.text) + " / " + std::string(row.reply.finish_reason));
    EXPECT_EQ(Outcome::Class_Name(ParseChoice(row.reply).class_),
              Outcome::Class_Name(row.expected));
  }
}

}  // namespace
}  // namespace candor::reply
