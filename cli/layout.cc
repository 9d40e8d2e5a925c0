#include "cli/layout.h"

#include "common/base/text_table.h"

#include <algorithm>

namespace candor::cli {

std::string Bar(double share, std::size_t width, bool unicode) {
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) {
    const bool full = i < static_cast<std::size_t>(filled);
    bar += unicode ? (full ? "█" : "░") : (full ? "#" : "-");
  }
  return unicode ? bar : "[" + bar + "]";
}

void Flow(std::string line, const std::vector<std::string>& pieces, std::size_t indent,
          std::size_t width, std::vector<std::string>* lines) {
  for (const std::string& piece : pieces) {
    const bool begun = Columns(line) > indent;
    if (begun && Columns(line) + 2 + Columns(piece) > width) {
      lines->push_back(std::move(line));
      line = std::string(indent, ' ') + piece;
    } else {
      line += (begun ? "  " : "") + piece;
    }
  }
  lines->push_back(std::move(line));
}

void Wrap(std::string_view text, std::size_t indent, std::size_t width,
          std::vector<std::string>* lines) {
  std::string line(indent, ' ');
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = Clip(text.substr(begin, end - begin), width - indent);
    begin = end + 1;
    if (word.empty()) continue;
    if (Columns(line) > indent && Columns(line) + 1 + Columns(word) > width) {
      lines->push_back(std::move(line));
      line = std::string(indent, ' ');
    }
    line += (Columns(line) > indent ? " " : "") + word;
  }
  if (Columns(line) > indent) lines->push_back(std::move(line));
}

}  // namespace candor::cli
