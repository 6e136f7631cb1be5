#include "sim/sim_process.h"

#include <charconv>
#include <utility>

#include "base/text.h"

namespace swarm {
namespace {

constexpr int kNotFound = 127;

// Words as a shell splits them, with both kinds of quotes; ";", "&&" and "||" are words of their
// own.
std::vector<std::string> SplitWords(std::string_view script) {
  std::vector<std::string> words;
  std::string word;
  bool has_word = false;
  const auto finish = [&] {
    if (has_word) words.push_back(std::exchange(word, {}));
    has_word = false;
  };
  for (std::size_t at = 0; at < script.size(); ++at) {
    const char letter = script[at];
    const std::string_view two = script.substr(at, 2);
    if (letter == '\'' || letter == '"') {
      has_word = true;
      const std::size_t end = script.find(letter, at + 1);
      word.append(script.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
      if (end == std::string_view::npos) break;
      at = end;
    } else if (letter == ' ' || letter == '\t') {
      finish();
    } else if (letter == ';' || letter == '\n') {
      finish();
      words.emplace_back(";");
    } else if (two == "&&" || two == "||") {
      finish();
      words.emplace_back(two);
      ++at;
    } else {
      word.push_back(letter);
      has_word = true;
    }
  }
  finish();
  return words;
}

std::optional<Duration> ParseSleep(std::string_view amount) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(amount.data(), amount.data() + amount.size(), seconds);
  if (error != std::errc() || seconds < 0 || seconds > 1e9) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(amount.data() + amount.size() - end));
  if (unit == "m") seconds *= 60;
  if (unit == "h") seconds *= 3600;
  if (unit == "d") seconds *= 86'400;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

SimProcess::SimProcess(std::vector<std::string> arguments, bool strict, ProcessHost host)
    : arguments_(std::move(arguments)), strict_(strict), host_(std::move(host)) {}

void SimProcess::Start() {
  commands_.push_back({Command::When::kAlways, arguments_});
  Run();
}

void SimProcess::Feed(std::string_view bytes) {
  if (input_ended_ || exit_code_) return;
  input_.append(bytes);
  TakeInput();
  Run();
}

void SimProcess::EndInput() {
  if (input_ended_) return;
  input_ended_ = true;
  TakeInput();
  Run();
}

void SimProcess::Wake() {
  if (waiting_ != Waiting::kSleep) return;
  waiting_ = Waiting::kNothing;
  Run();
}

void SimProcess::TakeInput() {
  if (waiting_ == Waiting::kCat) {
    if (!input_.empty()) host_.print(input_, false);
    input_.clear();
  } else if (waiting_ == Waiting::kCount) {
    counted_ += input_.size();
    input_.clear();
    if (input_ended_) host_.print(std::to_string(counted_) + "\n", false);
  } else if (waiting_ == Waiting::kLines) {
    const std::size_t end = input_.find('\n');
    if (end == std::string::npos && !input_ended_) return;
    if (!input_.empty()) {
      AddScript(input_.substr(0, end));
      input_.erase(0, end == std::string::npos ? end : end + 1);
      waiting_ = Waiting::kNothing;
      return;
    }
    reads_lines_ = false;
  } else {
    return;
  }
  if (input_ended_) waiting_ = Waiting::kNothing;
}

void SimProcess::Run() {
  // A loop whose body never waits would hold the engine: it is taken for one that runs until it is
  // ended.
  constexpr int kMostSteps = 10'000;
  for (int steps = 0; waiting_ == Waiting::kNothing && !exit_code_; ++steps) {
    if (steps == kMostSteps) {
      waiting_ = Waiting::kForever;
    } else if (!commands_.empty()) {
      const Command command = std::move(commands_.front());
      commands_.pop_front();
      const bool skipped = (command.when == Command::When::kIfOk && last_code_ != 0) ||
                           (command.when == Command::When::kIfFailed && last_code_ == 0);
      if (!skipped) Execute(command.words);
    } else if (!loop_.empty()) {
      commands_ = loop_;
    } else if (reads_lines_) {
      waiting_ = Waiting::kLines;
      TakeInput();
    } else {
      Exit(last_code_);
    }
  }
}

void SimProcess::Execute(std::vector<std::string> words) {
  const std::string name = words.empty() ? "" : words[0].substr(words[0].rfind('/') + 1);
  last_code_ = 0;
  if (name == "echo") {
    Echo(std::move(words));
  } else if (name == "cat") {
    Cat(words);
  } else if (name == "sh" || name == "bash") {
    Shell(words);
  } else if (name == "sleep" && words.size() > 1) {
    Sleep(words[1]);
  } else if (name == "tick" && words.size() > 1) {
    AddScript("while true; do echo tick; sleep " + words[1] + "; done");
  } else if (name == "wc") {
    waiting_ = Waiting::kCount;
    TakeInput();
  } else if (name == "env" || name == "printenv") {
    for (const std::string& line : host_.env) host_.print(line + "\n", false);
  } else if (name == "hostname") {
    host_.print(host_.host_name + "\n", false);
  } else if (name == "exit") {
    int code = 0;
    if (words.size() > 1) std::from_chars(words[1].data(), words[1].data() + words[1].size(), code);
    Exit(code & 255);
  } else if (name == "false") {
    last_code_ = 1;
  } else if (name != "true" && name != ":" && !name.empty()) {
    if (!strict_) {
      waiting_ = Waiting::kForever;
      return;
    }
    host_.print("sh: " + name + ": not found\n", true);
    last_code_ = kNotFound;
  }
}

void SimProcess::Echo(std::vector<std::string> words) {
  bool is_error = false;
  bool has_newline = true;
  words.erase(words.begin());
  if (!words.empty() && (words.back() == ">&2" || words.back() == "1>&2")) {
    is_error = true;
    words.pop_back();
  }
  if (!words.empty() && words.front() == "-n") {
    has_newline = false;
    words.erase(words.begin());
  }
  host_.print(Join(words, " ") + (has_newline ? "\n" : ""), is_error);
}

void SimProcess::Cat(const std::vector<std::string>& words) {
  if (words.size() < 2) {
    waiting_ = Waiting::kCat;
    TakeInput();
    return;
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto content = host_.file(words[i])) {
      host_.print(*content, false);
    } else {
      host_.print("cat: can't open '" + words[i] + "': No such file or directory\n", true);
      last_code_ = 1;
    }
  }
}

void SimProcess::Shell(const std::vector<std::string>& words) {
  if (words.size() > 2 && words[1] == "-c") {
    strict_ = true;
    AddScript(words[2]);
  } else {
    strict_ = true;
    reads_lines_ = true;
  }
}

void SimProcess::Sleep(std::string_view amount) {
  const std::optional<Duration> delay = ParseSleep(amount);
  if (amount == "infinity") {
    waiting_ = Waiting::kForever;
  } else if (!delay) {
    host_.print("sleep: invalid number '" + std::string(amount) + "'\n", true);
    last_code_ = 1;
  } else {
    waiting_ = Waiting::kSleep;
    host_.sleep(*delay);
  }
}

void SimProcess::AddScript(std::string_view script) {
  std::deque<Command> parsed;
  Command command;
  std::vector<std::string> words = SplitWords(script);
  bool in_loop = false;
  // `while CONDITION; do` without end: the condition becomes a command of the body.
  if (!words.empty() && words.front() == "while") {
    in_loop = true;
    words.erase(words.begin());
  }
  words.emplace_back(";");
  for (std::string& word : words) {
    if (word == ";" || word == "&&" || word == "||") {
      if (!command.words.empty()) parsed.push_back(std::move(command));
      command = {};
      if (word == "&&") command.when = Command::When::kIfOk;
      if (word == "||") command.when = Command::When::kIfFailed;
    } else if (!(in_loop && command.words.empty() && (word == "do" || word == "done"))) {
      command.words.push_back(std::move(word));
    }
  }
  if (in_loop) {
    loop_ = std::move(parsed);
  } else {
    commands_.insert(commands_.begin(), parsed.begin(), parsed.end());
  }
}

}  // namespace swarm
