#!/usr/bin/env python3
"""Writes packaging/completion/swarmd.{bash,zsh,fish} from what swarmd says of itself.

usage: make_completion.py SWARMD [--folder FOLDER]   writes the three files
       make_completion.py SWARMD --check             prints which of the committed ones differ; exit code 1 if one does

commands_of() reads `swarmd --help` and the help of each command; the tests of the man page use it, too.
"""
import argparse
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass, field

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "packaging" / "completion"
# What the help says in words: the values of a flag, or what kind of path it takes.
VALUES = {
    "--strategy": ["spread", "binpack", "random"],
    "--filter": ["health", "port", "containerslots", "dependency", "affinity", "constraint", "whitelist", "platform"],
    "--cluster-opt": ["swarm.overcommit=", "swarm.createretry="],
}
FILES = ("--tlscacert", "--tlscert", "--tlskey")
FOLDERS = ("--rootdir",)
HEAD = "%s for swarmd. Made by tools/make_completion.py from the program's help; do not edit."
NODES = "swarmd node --timeout 1s ls 2>/dev/null | sed -n '2,$s/ .*//p'"


@dataclass
class Flag:
  names: list
  takes_value: bool
  choices: list
  text: str

  def long(self):
    return next(name for name in self.names if name.startswith("--"))


@dataclass
class Command:
  words: tuple  # () = swarmd itself, ("node", "ls")
  text: str
  flags: list = field(default_factory=list)
  takes_node: bool = False
  children: list = field(default_factory=list)  # [(name, ...aliases)]


def entries(lines):
  """(left, text) of each entry of a section of the help; a long left has its text on the next line."""
  found = []
  for line in lines:
    if re.match(r"  \S", line):
      left, _, text = line.strip().partition("  ")
      found.append([left, text.strip()])
    elif line.strip() and found:
      found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
  return found


def read_flag(left, text):
  names, _, value = left.partition(" ")
  choices = re.search(r":\{(.*)\}", value)
  values = choices.group(1).split(",") if choices else []
  flag = Flag(names.split(","), bool(value), values, text)
  flag.choices = flag.choices or VALUES.get(flag.long(), [])
  return flag


def read_command(program, words):
  done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=20, check=True)
  sections, name = {"": []}, ""
  for line in done.stdout.splitlines():
    if re.match(r"[A-Z]\w*:$", line):
      name = line[:-1]
    sections.setdefault(name, []).append(line)
  command = Command(tuple(words), sections[""][0])
  command.flags = [read_flag(*entry) for entry in entries(sections.get("Options", []))]
  command.takes_node = any(left.startswith("NODE ") for left, _ in entries(sections.get("Positionals", [])))
  command.children = [left.split(", ") for left, _ in entries(sections.get("Subcommands", []))]
  return command


def commands_of(program):
  """Every command of swarmd, itself first, each with its flags as the help lists them."""
  found, waiting = [], [()]
  while waiting:
    command = read_command(program, waiting.pop(0))
    found.append(command)
    waiting += [command.words + (names[0],) for names in command.children]
  return found


def spellings(command, commands):
  """The ways to write the command's words: ["manage", "m"], ["node ls"]."""
  ways = [""]
  for depth, word in enumerate(command.words):
    parent = next(c for c in commands if c.words == command.words[:depth])
    names = next(names for names in parent.children if names[0] == word)
    ways = [(way + " " + name).strip() for way in ways for name in names]
  return ways


# ---- bash ----

def bash(commands):
  lines = ["# " + HEAD % "Completion of bash", "_swarmd_nodes() { " + NODES + "; }", "_swarmd() {",
           "  local current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' word i",
           "  # --names=node comes as three words.",
           "  if [[ $current == '=' ]]; then current=''; elif [[ $flag == '=' ]]; then flag=${COMP_WORDS[COMP_CWORD - 2]}; fi",
           "  for ((i = 1; i < COMP_CWORD; i++)); do",
           "    word=${COMP_WORDS[i]}",
           "    if [[ $word == '--' ]]; then return; fi",
           "    case \"${command:+$command }$word\" in"]
  for command in commands[1:]:
    patterns = " | ".join("'%s'" % way for way in spelled_after(command, commands))
    lines.append("      %s) command='%s' ;;" % (patterns, " ".join(command.words)))
  lines += ["    esac", "  done", "  case \"$command:$flag\" in"]
  for command in commands:
    for flag in command.flags:
      if flag.takes_value:
        lines.append("    %s)%s" % (" | ".join("'%s:%s'" % (" ".join(command.words), name) for name in flag.names),
                                    bash_values(flag)))
  lines += ["  esac", "  case $command in"]
  for command in commands:
    shown = commands[0] if command.words == ("help",) else command
    words = [names[0] for names in shown.children] + [name for flag in command.flags for name in flag.names]
    nodes = " $([[ $current == -* ]] || _swarmd_nodes)" if command.takes_node else ""
    lines.append("    '%s') words=\"%s%s\" ;;" % (" ".join(command.words), " ".join(words), nodes))
  lines += ["  esac", "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")", "}",
            "complete -o default -F _swarmd swarmd swarm"]
  return "\n".join(lines) + "\n"


def spelled_after(command, commands):
  """As spellings(), after a parent that is named by its first name."""
  parent = " ".join(command.words[:-1])
  return sorted({(parent + " " + way.split()[-1]).strip() for way in spellings(command, commands)})


def bash_values(flag):
  if flag.choices:
    space = " compopt -o nospace;" if flag.choices[0].endswith("=") else ""
    return space + " mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\"); return ;;" % " ".join(flag.choices)
  if flag.long() in FILES + FOLDERS:
    return " mapfile -t COMPREPLY < <(compgen -%s -- \"$current\"); return ;;" % (
        "f" if flag.long() in FILES else "d")
  return " return ;;"


# ---- zsh ----

def quoted(text):
  return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh(commands):
  lines = ["#compdef swarmd swarm", "# " + HEAD % "Completion of zsh",
           "_swarmd_nodes() { compadd -- ${(f)\"$(" + NODES + ")\"} }"]
  for command in reversed(commands):
    lines += zsh_command(command, commands)
  return "\n".join(lines + ["_swarmd \"$@\""]) + "\n"


def zsh_function(words):
  return "_".join(("_swarmd",) + words)


def zsh_command(command, commands):
  lines = [zsh_function(command.words) + "() {"]
  if command.children:
    lines.append("  local context state state_descr line")
  lines.append("  _arguments%s \\" % (" -C" if command.children else ""))
  for flag in command.flags:
    value = ""
    if flag.takes_value:
      action = "(%s)" % " ".join(flag.choices) if flag.choices else (
          "_files" if flag.long() in FILES else "_files -/" if flag.long() in FOLDERS else " ")
      value = ":value:" + action
    lines += ["    '*%s[%s]%s' \\" % (name, quoted(flag.text), value) for name in flag.names]
  if not command.children:
    return lines + ["    '*:%s'" % ("node:_swarmd_nodes" if command.takes_node else "argument:_files"), "}"]
  lines += ["    '1:command:->command' '*::argument:->argument'", "  case $state in", "    command)",
            "      local -a words_of=("]
  for names in command.children:
    child = next(c for c in commands if c.words == command.words + (names[0],))
    lines.append("        '%s:%s'" % (names[0], child.text.replace("'", "'\\''")))
  lines += ["      )", "      _describe command words_of ;;", "    argument)", "      case $words[1] in"]
  lines += ["        %s) %s ;;" % ("|".join(names), zsh_function(command.words + (names[0],)))
            for names in command.children]
  return lines + ["      esac ;;", "  esac", "}"]


# ---- fish ----

def fish(commands):
  lines = ["# " + HEAD % "Completion of fish", "function __swarmd_nodes; " + NODES + "; end"]
  for command in commands:
    where = fish_condition(command, commands)
    for names in command.children:
      child = next(c for c in commands if c.words == command.words + (names[0],))
      lines.append("complete -c swarmd -f -n '%s' -a %s -d '%s'" % (
          fish_condition(command, commands, alone=True), names[0], fish_text(child.text)))
    if command.takes_node:
      lines.append("complete -c swarmd -f -n '%s' -a '(__swarmd_nodes)'" % where)
    for flag in command.flags:
      names = " ".join(("-l " + name[2:]) if name.startswith("--") else ("-s " + name[1:]) for name in flag.names)
      value = ""
      if flag.takes_value:
        value = " -x -a '%s'" % " ".join(flag.choices) if flag.choices else (
            " -r" if flag.long() in FILES + FOLDERS else " -x")
      lines.append("complete -c swarmd -n '%s' %s%s -d '%s'" % (where, names, value, fish_text(flag.text)))
  return "\n".join(lines + ["complete -c swarm -w swarmd"]) + "\n"


def fish_text(text):
  return text.replace("\\", "\\\\").replace("'", "\\'")


def fish_condition(command, commands, alone=False):
  parts = []
  for depth in range(len(command.words)):
    parent = next(c for c in commands if c.words == command.words[:depth])
    names = next(names for names in parent.children if names[0] == command.words[depth])
    parts.append("__fish_seen_subcommand_from " + " ".join(names))
  if command.children and (alone or not command.words):
    children = " ".join(name for names in command.children for name in names)
    parts.append("not __fish_seen_subcommand_from " + children)
  return "; and ".join(parts)


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("swarmd")
  parser.add_argument("--folder", type=pathlib.Path, default=FOLDER)
  parser.add_argument("--check", action="store_true")
  options = parser.parse_args()
  commands = commands_of(options.swarmd)
  wrong = 0
  for shell, make in (("bash", bash), ("zsh", zsh), ("fish", fish)):
    path, text = options.folder / ("swarmd." + shell), make(commands)
    if not options.check:
      path.write_text(text)
    elif not path.is_file() or path.read_text() != text:
      print("%s is not what swarmd's help makes: tools/make_completion.py SWARMD" % path)
      wrong = 1
  return wrong


if __name__ == "__main__":
  sys.exit(main())
