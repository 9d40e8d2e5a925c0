// Numbers on the command line.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace candor::cli {

// Lets every option of the app and its subcommands that takes a number read it as files are read
// (scalar_text.h): "010" is ten, where CLI11 by itself reads eight, "1e4" is ten thousand, and
// "0x10" and what does not fit are refused. For options that are there when it is called.
void ReadNumbersInDecimal(CLI::App& app);

}  // namespace candor::cli
