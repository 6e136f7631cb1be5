"""What is installed beside swarmd, held to what swarmd says of itself: man pages, completions, unit."""

import gzip
import os
import re
import shutil

import consumers
import make_completion

call = consumers.call
# (words on the command line, the last of them under the cursor; what must be offered)
COMPLETED = [
    (["swarmd", "ma"], ["manage"]),
    (["swarmd", "manage", "--strat"], ["--strategy"]),
    (["swarm", "m", "--relay-ports", ""], ["off", "label", "all"]),
    (["swarmd", "manage", "--names", "=", "pl"], ["plain"]),
    (["swarmd", "node", "dr"], ["drain"]),
    (["swarmd", "node", "drain", "--pol"], ["--policy"]),
    (["swarmd", "help", "ex"], ["explain"]),
    (["swarmd", "explain", "sim://1", "--", "docker", "ru"], []),
]


def check(report, prefix):
  swarmd = os.path.join(prefix, "bin/swarmd")
  commands = make_completion.commands_of(swarmd)
  report.check("swarmd tells its commands and flags",
               len(commands) >= 11 and sum(len(command.flags) for command in commands) >= 70,
               [(command.words, len(command.flags)) for command in commands])
  check_man_page(report, prefix, commands)
  check_man_pages(report, prefix, swarmd)
  check_completions(report, prefix, swarmd, commands)
  check_unit(report, prefix, swarmd)


# ---- man pages ----

def plain(line):
  """A line of a man page without its macros and fonts."""
  line = re.sub(r"^\.[A-Z]+ ?", "", line.replace("\\-", "-").replace("\\ ", " "))
  return re.sub(r"\\f[A-Z]", " ", line).replace('"', "")


def flags_of_page(text):
  """{(words of the command): set of flags that are described there}"""
  found, words, described = {}, None, False
  for line in text.splitlines():
    heading = re.match(r"\.S[HS] (.*)", line)
    if heading:
      name = heading.group(1)
      words = () if name == "GLOBAL OPTIONS" else tuple(name.lower().split())
    elif words is not None and (described or re.match(r"\.BR \\-", line)):
      found.setdefault(words, set()).update(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", plain(line)))
    described = line == ".TP"
  return found


def read_page(prefix, name):
  with gzip.open(os.path.join(prefix, "share/man", name), "rt", encoding="utf-8") as page:
    return page.read()


def check_man_page(report, prefix, commands):
  page = flags_of_page(read_page(prefix, "man1/swarmd.1.gz"))
  for command in commands:
    told = {name for flag in command.flags for name in flag.names}
    report.equal("the man page has the flags of `%s`" % " ".join(("swarmd",) + command.words),
                 sorted(page.get(command.words, set()) ^ told), [])


def check_man_pages(report, prefix, swarmd):
  """Those that are installed are of this version, and groff accepts them; the one of pyswarm shows a program that runs."""
  pages = ["man1/swarmd.1.gz", "man1/swarm.1.gz", "man3/libswarm.3.gz"]
  site = os.path.join(prefix, "lib/python3/dist-packages")
  if os.path.isdir(site):
    pages.append("man3/pyswarm.3.gz")
  version = call(swarmd, "version").out.split()[-1]
  for name in pages:
    text = read_page(prefix, name)
    report.check("%s is of this version" % name, "libswarm " + version in text and "@" not in text, text[:200])
  if os.path.isdir(site):
    shown = re.search(r"(?s)\.SH EXAMPLES\n\.nf\n(.*?)\.fi\n", text).group(1)
    done = call("/usr/bin/python3", "-B", "-c", shown, env={"PYTHONPATH": site})
    report.equal("what pyswarm(3) shows runs", (done.code, done.out), (0, consumers.PLACED))
  if shutil.which("groff") is None:
    print("left out: nothing reads the man pages, as groff is not installed (scripts/setup.sh test)")
    return
  for name in pages:
    done = call("bash", "-c", "set -o pipefail; gzip -cd '%s' | groff -man -Tutf8 -ww -z 2>&1" %
                os.path.join(prefix, "share/man", name))
    report.equal("%s: groff has nothing to say" % name, (done.code, done.out), (0, ""))


# ---- completions ----

def check_completions(report, prefix, swarmd, commands):
  share = os.path.join(prefix, "share")
  bash = os.path.join(share, "bash-completion/completions/swarmd")
  files = {"bash": bash, "zsh": os.path.join(share, "zsh/vendor-completions/_swarmd"),
           "fish": os.path.join(share, "fish/vendor_completions.d/swarmd.fish")}
  for shell, make in (("bash", make_completion.bash), ("zsh", make_completion.zsh), ("fish", make_completion.fish)):
    report.check("completion of %s: made of this swarmd's help (tools/make_completion.py)" % shell,
                 consumers.read(files[shell]) == make(commands))
    if shutil.which(shell) is None:
      print("left out: %s does not read its completion, as it is not installed (scripts/setup.sh test)" % shell)
    else:
      done = call(shell, "-n", files[shell])
      report.equal("%s reads it" % shell, (done.code, done.err), (0, ""))
  report.equal("bash finds it by the old name", os.readlink(os.path.join(os.path.dirname(bash), "swarm")), "swarmd")
  for words, wanted in COMPLETED:
    script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swarmd; printf "%s\\n" "${COMPREPLY[@]}"'
    done = call("bash", "-c", script, bash, *words)
    report.equal("bash completes: " + " ".join(words), done.out.split(), wanted)
  # The values that the help tells in words only.
  for strategy in make_completion.VALUES["--strategy"]:
    done = call(swarmd, "explain", "--strategy", strategy, "sim://1", "--", "docker", "run", "busybox")
    report.check("--strategy %s is one" % strategy, done.code == 0 and "sim-0001" in done.out, done)
  filters = [word for name in make_completion.VALUES["--filter"] for word in ("--filter", name)]
  done = call(swarmd, "explain", *filters, "sim://1", "--", "docker", "run", "busybox")
  report.check("the filters that are offered are there", done.code == 0, done)


# ---- systemd ----

def check_unit(report, prefix, swarmd):
  path = os.path.join(prefix, "lib/systemd/system/swarmd.service")
  unit = consumers.read(path)
  for setting in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "EnvironmentFile=-/etc/default/swarmd",
                  "EnvironmentFile=-/usr/local/etc/default/swarmd", "ExecStart=swarmd manage $SWARMD_FLAGS"):
    report.check("unit: " + setting, "\n%s\n" % setting in unit, unit)
  if shutil.which("systemd-analyze") is None:
    print("left out: nothing reads the unit, as systemd-analyze is not installed (scripts/setup.sh test)")
    return
  # Without a root of its own it looks for the program in /usr.
  copy = os.path.join(prefix, "swarmd.service")
  with open(copy, "w", encoding="utf-8") as file:
    file.write(unit.replace("ExecStart=swarmd", "ExecStart=" + swarmd))
  done = call("systemd-analyze", "verify", "--man=no", copy)
  mine = [line for line in (done.out + done.err).splitlines() if "swarmd.service" in line]
  report.equal("systemd-analyze verify has nothing to say", mine, [])
  done = call("systemd-analyze", "security", "--offline=yes", copy)
  level = re.search(r"exposure level for swarmd.service: ([\d.]+)", done.out)
  report.check("and its exposure is at most 2.0", level is not None and float(level.group(1)) <= 2.0,
               done.out[-200:] + done.err)
  os.unlink(copy)
