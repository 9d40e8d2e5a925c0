// Text laid out in the columns of a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace candor::cli {

// "[####------]", or block characters. `share` is between 0 and 1, `width` without the brackets.
std::string Bar(double share, std::size_t width, bool unicode);

// Lays pieces out, two spaces apart, in lines of the width; later lines are indented.
void Flow(std::string line, const std::vector<std::string>& pieces, std::size_t indent,
          std::size_t width, std::vector<std::string>* lines);

// Words of a sentence, flowed with single spaces, each line indented.
void Wrap(std::string_view text, std::size_t indent, std::size_t width,
          std::vector<std::string>* lines);

}  // namespace candor::cli
