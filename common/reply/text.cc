#include "common/reply/text.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace candor::reply {
namespace {

using v1::Outcome;

enum class Ending { kOther, kLength, kFilter, kRefusal };

// The words of OpenAI (chat completions and responses), Azure, Anthropic, Gemini, Bedrock, Mistral,
// Cohere, vLLM, llama.cpp, TGI and Ollama.
Ending EndingOf(std::string_view finish_reason) {
  static constexpr std::array<std::string_view, 9> kLength = {
      "length", "max_tokens",  "max_output_tokens", "max_completion_tokens",        "max_length",
      "limit",  "token_limit", "model_length",      "model_context_window_exceeded"};
  static constexpr std::array<std::string_view, 14> kFilter = {
      "content_filter", "content_filtered",     "safety",       "recitation",
      "blocklist",      "prohibited_content",   "spii",         "blocked",
      "error_toxic",    "guardrail_intervened", "image_safety", "sensitive",
      "moderation",     "content_policy"};
  const std::string word = Lower(Trim(finish_reason));
  // Gemini's enumeration is sometimes written out: FINISH_REASON_MAX_TOKENS.
  std::string_view name = word;
  if (name.starts_with("finish_reason_")) name.remove_prefix(14);
  if (std::ranges::find(kLength, name) != kLength.end()) return Ending::kLength;
  if (std::ranges::find(kFilter, name) != kFilter.end()) return Ending::kFilter;
  return name == "refusal" ? Ending::kRefusal : Ending::kOther;
}

// Where the answer begins after reasoning that the server left in the text, npos when it never
// begins, 0 when there is no reasoning. Some chat templates put the opening tag into the prompt.
std::size_t AfterThinking(std::string_view text) {
  for (const std::string_view name : {"think", "thinking", "thought", "reasoning"}) {
    const std::string close = "</" + std::string(name) + ">";
    if (const auto at = text.rfind(close); at != text.npos) return at + close.size();
    if (Trim(text).starts_with("<" + std::string(name) + ">")) return text.npos;
  }
  return 0;
}

constexpr std::size_t kRefusalWindow = 400;

// Whether the text declines, judged by its beginning.
bool Declines(std::string_view text) {
  std::string start = Lower(text.substr(0, kRefusalWindow));
  for (auto at = start.find("\xe2\x80\x99"); at != start.npos; at = start.find("\xe2\x80\x99")) {
    start.replace(at, 3, "'");
  }
  static constexpr std::array<std::string_view, 25> kPhrases = {"as an ai",
                                                                "as a language model",
                                                                "as a large language model",
                                                                "i'm just an ai",
                                                                "i must decline",
                                                                "i have to decline",
                                                                "i respectfully decline",
                                                                "i decline",
                                                                "i refuse",
                                                                "i'd rather not",
                                                                "i would rather not",
                                                                "i don't feel comfortable",
                                                                "i'm not comfortable",
                                                                "i am not comfortable",
                                                                "i'm sorry, but",
                                                                "i am sorry, but",
                                                                "i apologize, but",
                                                                "sorry, but i",
                                                                "sorry, i can",
                                                                "i don't have the ability",
                                                                "i do not have the ability",
                                                                "i don't have personal",
                                                                "i do not have personal",
                                                                "not appropriate for me",
                                                                "against my guidelines"};
  for (const std::string_view phrase : kPhrases) {
    if (start.find(phrase) != start.npos) return true;
  }
  // "I can't ignore the price" declines nothing; "I can't help" does.
  static constexpr std::array<std::string_view, 11> kCannot = {
      "can't ",       "cannot ",       "can not ",  "won't ",     "will not ",  "unable to ",
      "not able to ", "not going to ", "must not ", "shouldn't ", "should not "};
  static constexpr std::array<std::string_view, 36> kVerbs = {
      "help",        "assist",   "choose",     "make",     "provide", "answer",
      "decide",      "pick",     "select",     "do th",    "fulfill", "comply",
      "participate", "engage",   "give",       "offer",    "express", "recommend",
      "complete",    "continue", "respond",    "tell you", "say",     "report",
      "share",       "access",   "introspect", "imagine",  "pretend", "support",
      "accommodate", "generate", "create",     "discuss",  "advise",  "assign"};
  for (const std::string_view cannot : kCannot) {
    for (auto at = start.find(cannot); at != start.npos; at = start.find(cannot, at + 1)) {
      // The speaker is the model: "i can't", "i'm unable to", "we cannot".
      const std::string_view before =
          std::string_view(start).substr(at < 12 ? 0 : at - 12, at < 12 ? at : 12);
      if (before.find("i ") == before.npos && before.find("i'm ") == before.npos &&
          before.find("i am ") == before.npos && before.find("we ") == before.npos) {
        continue;
      }
      const std::string_view after = std::string_view(start).substr(at + cannot.size());
      for (const std::string_view verb : kVerbs) {
        if (after.starts_with(verb)) return true;
      }
    }
  }
  return false;
}

}  // namespace

void Repairs::Add(std::string_view name) {
  if (std::ranges::find(names_, name) == names_.end()) names_.emplace_back(name);
}

void Repairs::AddAll(const Repairs& other) {
  for (const std::string& name : other.names_) Add(name);
}

Opened Open(const Reply& reply) {
  Opened opened;
  const Ending ending = EndingOf(reply.finish_reason);
  opened.cut = ending == Ending::kLength;
  opened.text = Trim(reply.text);
  opened.cut_within_word = opened.cut && reply.text.ends_with(opened.text);
  if (ending == Ending::kFilter) {
    opened.class_ = Outcome::PROVIDER_BLOCKED;
    return opened;
  }
  if (reply.refusal || ending == Ending::kRefusal) {
    opened.class_ = Outcome::REFUSAL;
    return opened;
  }
  bool has_reasoning = reply.has_reasoning;
  if (const std::size_t begin = AfterThinking(opened.text); begin != 0) {
    has_reasoning = true;
    opened.repairs.Add("thinking_block");
    opened.text = begin == opened.text.npos ? std::string_view() : Trim(opened.text.substr(begin));
  }
  if (opened.text.empty()) {
    opened.class_ = opened.cut && has_reasoning ? Outcome::REASONING_EXHAUSTED : Outcome::EMPTY;
  }
  return opened;
}

Outcome::Class ClassOfUnread(const Opened& opened, Outcome::Class otherwise) {
  if (Declines(opened.text)) return Outcome::REFUSAL;
  return opened.cut ? Outcome::TRUNCATED : otherwise;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ToLower);
  return lower;
}

std::size_t SpaceAt(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  if (IsSpace(text[at])) return 1;
  const std::string_view rest = text.substr(at, 3);
  if (rest.starts_with("\xc2\xa0")) return 2;
  static constexpr std::array<std::string_view, 5> kSpaces = {
      "\xe2\x80\xaf", "\xe2\x80\x8b", "\xe2\x80\x89", "\xef\xbb\xbf", "\xe3\x80\x80"};
  return std::ranges::find(kSpaces, rest) != kSpaces.end() ? 3 : 0;
}

std::string_view Trim(std::string_view text) {
  while (const std::size_t space = SpaceAt(text, 0)) text.remove_prefix(space);
  while (!text.empty()) {
    std::size_t space = 0;
    for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
      if (SpaceAt(text, text.size() - size) == size) space = size;
    }
    if (space == 0) break;
    text.remove_suffix(space);
  }
  return text;
}

}  // namespace candor::reply
