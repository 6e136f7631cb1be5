// The commands that containers of simulated engines can run.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmlib/clock.h"

namespace swarm {

// What a process needs from the engine that runs it. Called only from inside Start, Feed, EndInput
// and Wake.
struct ProcessHost {
  std::function<void(std::string_view bytes, bool is_error)> print;
  std::function<void(Duration delay)> sleep;  // then Wake
  std::function<std::optional<std::string>(std::string_view path)> file;
  std::vector<std::string> env;
  std::string host_name;
};

// One process: echo, cat, sleep, tick, wc -c, env, hostname, true, false, exit, and sh -c or sh
// with lines from the input, joined by ; && || and `while true; do ...; done`. Anything else runs
// until it is ended from outside, or, where `strict`, ends with 127. Not thread-safe.
class SimProcess {
 public:
  SimProcess(std::vector<std::string> arguments, bool strict, ProcessHost host);

  void Start();
  // Standard input.
  void Feed(std::string_view bytes);
  void EndInput();
  // The sleep is over.
  void Wake();

  // Set once it has ended.
  std::optional<int> exit_code() const { return exit_code_; }
  const std::vector<std::string>& arguments() const { return arguments_; }

 private:
  enum class Waiting { kNothing, kSleep, kCat, kCount, kLines, kForever };
  struct Command {
    enum class When { kAlways, kIfOk, kIfFailed };
    When when = When::kAlways;
    std::vector<std::string> words;
  };

  void Run();
  void TakeInput();
  void Execute(std::vector<std::string> words);
  void Echo(std::vector<std::string> words);
  void Cat(const std::vector<std::string>& words);
  void Shell(const std::vector<std::string>& words);
  void Sleep(std::string_view amount);
  void AddScript(std::string_view script);
  void Exit(int code) { exit_code_ = code; }

  std::vector<std::string> arguments_;
  bool strict_;
  ProcessHost host_;
  std::deque<Command> commands_;
  std::deque<Command> loop_;  // run again and again, when not empty
  Waiting waiting_ = Waiting::kNothing;
  std::string input_;
  bool input_ended_ = false;
  bool reads_lines_ = false;
  std::uint64_t counted_ = 0;
  int last_code_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace swarm
