#include "cli/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace candor::cli {

void Screen::Draw(std::vector<std::string> lines) {
  // What has scrolled out of the window cannot be drawn again.
  const std::size_t room = std::max<std::size_t>(height_, 4) - 1;
  if (lines.size() > room) {
    const std::size_t hidden = lines.size() - room + 1;
    lines.resize(room - 1);
    lines.push_back(fmt::format("... and {} more lines", hidden));
  }
  Erase();
  for (const std::string& line : lines) out_ << line << '\n';
  out_ << std::flush;
  drawn_ = lines.size();
}

void Screen::Erase() {
  if (drawn_ > 0) out_ << fmt::format("\x1b[{}A", drawn_) << "\x1b[J";
  drawn_ = 0;
}

}  // namespace candor::cli
