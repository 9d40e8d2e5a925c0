// A picture in a terminal that is drawn again in its place.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace candor::cli {

class Screen {
 public:
  // `height` is the terminal's, in lines. `out` outlives the screen.
  Screen(std::ostream& out, std::size_t height) : out_(out), height_(height) {}

  // Instead of what was drawn before. Lines that the terminal has no room for are counted.
  void Draw(std::vector<std::string> lines);
  // Takes the picture away; what is written next stands in its place.
  void Erase();

 private:
  std::ostream& out_;
  const std::size_t height_;
  std::size_t drawn_ = 0;
};

}  // namespace candor::cli
