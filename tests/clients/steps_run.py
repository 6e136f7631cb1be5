"""Steps of the CLI scenario: run, create, start, attach, exec, and what goes through their streams."""

import hashlib
import os
import re
import signal

from programs import Done, wait_for
from steps import Step, command, commands
from terminal import Terminal

BIG_BYTES = 50 * 1000 * 1000
SHELL = ("ubuntu", "bash", "--noediting", "--norc")
PROMPT = r"bash-[\d.]+# $"


def piped_big(session):
  """50 MB into `run -i`."""
  block = os.urandom(1000 * 1000)
  data = block * (BIG_BYTES // len(block))
  done = session.docker.run("run", "--rm", "-i", "busybox", "md5sum", stdin=data, seconds=90)
  same = done.out.split()[:1] == [hashlib.md5(data).hexdigest()]
  return Done(done.code, "same sum\n" if same else done.out, done.err)


def big_out(session):
  """50 MB out of `run`: nothing is lost at its end."""
  done = session.docker.run("run", "--rm", "--log-driver", "none", "busybox", "sh", "-c",
                            "yes 123456789 | head -n 5000000", seconds=90)
  return Done(done.code, "%d bytes\n" % len(done.out), done.err)


def terminal_session(session):
  """A shell on a terminal: prompt, size, a new size, exit code."""
  with Terminal(session.docker.line("run", "--rm", "-it", *SHELL), session.docker.environment()) as terminal:
    terminal.read_until(PROMPT)

    def size_is(wanted):
      terminal.write("stty size\n")
      return wanted in terminal.read_until(PROMPT)

    wait_for(lambda: size_is("24 80"), 20, "the terminal has 24 rows of 80")

    def resized():
      terminal.resize(40, 100)  # again and again: a client that has just begun does not listen for SIGWINCH yet
      return size_is("40 100")

    wait_for(resized, 20, "the terminal has 40 rows of 100")
    terminal.write("echo err >&2; exit 5\n")
    code, text = terminal.finish()
  return Done(code, "24 80, 40 100\n" + text, "")


def detached_by_keys(session):
  """Ctrl-P Ctrl-Q leaves the container running. Over plain TCP the client itself then waits for the container's end."""
  with Terminal(session.docker.line("run", "-it", "--name", "cs_keys", *SHELL), session.docker.environment()) as terminal:
    terminal.read_until(PROMPT)
    terminal.write("\x10")
    terminal.write("\x11")
    terminal.finish(1.5)
    state = session.docker.run("inspect", "--format", "{{.State.Status}}", "cs_keys")
    session.docker.run("rm", "-f", "cs_keys")
    code, _ = terminal.finish(20)
  return Done(code, state.out, state.err)


def interrupted(session):
  """SIGINT to the client goes to the container's process (--sig-proxy)."""
  client = session.docker.start("run", "--rm", "busybox", "sh", "-c",
                                "trap 'echo got it; exit 4' INT; echo ready; while true; do sleep 0.1; done")
  client.wait_output("ready")
  client.process.send_signal(signal.SIGINT)
  return client.finish(20)


def attach_separate(session):
  """attach shows what comes after it, both outputs apart, and ends with the container's exit code."""
  session.docker.run("run", "-di", "--name", "cs_attach", "busybox", "sh", "-c",
                     "read word; echo out $word; echo err $word >&2; exit 6")
  client = session.docker.start("attach", "cs_attach")
  client.write(b"hello\n")
  done = client.finish(20, close_input=False)  # at the end of its input an engine ends both outputs
  session.docker.run("rm", "-f", "cs_attach")
  return done


def attach_without_stdin(session):
  session.docker.run("run", "-d", "--name", "cs_attach", "busybox", "sh", "-c",
                     "trap 'echo bye; echo last >&2; exit 3' USR1; while true; do echo tick; sleep 0.1; done")
  client = session.docker.start("attach", "--no-stdin", "cs_attach")
  client.wait_output("tick")
  session.docker.run("kill", "-s", "USR1", "cs_attach")
  done = client.finish(20)
  session.docker.run("rm", "-f", "cs_attach")
  return Done(done.code, re.sub(r"(tick\n)+", "tick\n", done.out), done.err)


def half_close(session):
  """The end of standard input arrives while the output goes on: the count comes after it."""
  client = session.docker.start("exec", "-i", "cs_sleep", "sh", "-c", "echo first; wc -c; echo after; sleep 0.3; echo late")
  client.wait_output("first")
  client.write(b"x" * 100000)
  return client.finish(20)


def exec_terminal(session):
  line = session.docker.line("exec", "-it", "cs_sleep", "sh", "-c", "echo ready; read word; tty; echo got $word; exit 8")
  with Terminal(line, session.docker.environment()) as terminal:
    terminal.read_until("ready\r\n")
    terminal.write("hello\n")
    code, text = terminal.finish()
  return Done(code, re.sub(r"/dev/pts/\d+", "/dev/pts/N", text), "")


def exec_detached(session):
  done = session.docker.run("exec", "-d", "cs_sleep", "sh", "-c", "echo done >/tmp/detached")

  def written():
    return session.docker.run("exec", "cs_sleep", "cat", "/tmp/detached").out == "done\n"

  wait_for(written, 10, "the detached exec wrote its file")
  return done


def run_detached(session):
  done = session.docker.run("run", "-d", "--name", "cs_sleep", "--label", "role=one", "-e", "COLOUR=blue", "--hostname",
                            "sleeper", "busybox", "sleep", "600")
  session.kept["id"] = done.out.strip()
  return done


NO_CONTAINER = r"No such container: cs_nosuch"

STEPS = [
    Step("run", command("run", "--rm", "busybox", "echo", "hello"), out=r"^hello\n$", err="^$"),
    Step("run: both outputs apart", command("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2"),
         out="^out\n$", err="^err\n$"),
    Step("run --rm: exit code 7", command("run", "--rm", "busybox", "sh", "-c", "exit 7"), code=7),
    Step("run: exit code 137", command("run", "--rm", "busybox", "sh", "-c", "sleep 9 & kill -9 $!; wait $!"),
         code=137),
    Step("run: no such program", command("run", "--rm", "busybox", "nosuch-program"), code=127,
         err="executable file not found"),
    Step("run: not executable", command("run", "--rm", "busybox", "/etc/passwd"), code=126, err="permission denied"),
    Step("run -i: piped input", command("run", "--rm", "-i", "busybox", "cat", stdin=b"one\ntwo\n"),
         out="^one\ntwo\n$"),
    Step("run -i: 50 MB in", piped_big, out="^same sum\n$"),
    Step("run: 50 MB out", big_out, out="^50000000 bytes\n$"),
    Step("run -a stdout", command("run", "--rm", "-a", "stdout", "busybox", "sh", "-c", "echo out; echo err >&2"),
         out="^out\n$", err="^$"),
    Step("run -t without a terminal", command("run", "--rm", "-t", "busybox", "sh", "-c", "echo out; echo err >&2"),
         out="out\r\nerr\r\n"),
    Step("run -it: prompt, sizes, exit code", terminal_session, code=5),
    Step("run -it: detached by keys", detached_by_keys, code=None, out="^running\n$"),
    Step("run: SIGINT is passed on", interrupted, code=4, out="^ready\ngot it\n$"),
    Step("run -d", run_detached, out="^[0-9a-f]{64}\n$"),
    Step("run: name taken", command("run", "-d", "--name", "cs_sleep", "busybox", "true"), code=125,
         err="Conflict. The container name \"/cs_sleep\" is already in use by container"),
    Step("run: no such image", command("run", "--rm", "nosuch.invalid/image:1", "true"), code=125,
         err="Unable to find image 'nosuch.invalid/image:1' locally", compare="code out",
         by_design="the pull runs on every node, and the text names them",
         cluster=lambda done, session: re.search(r"nosuch\.invalid", done.err)),
    Step("run: bad flag value", command("run", "--rm", "--memory", "1m", "busybox", "true"), code=125,
         err="Minimum memory limit allowed is 6MB"),
    Step("run --cidfile, -w, -u, -e", command("run", "--rm", "-w", "/tmp", "-u", "nobody", "-e", "A=b c", "busybox",
                                              "sh", "-c", "pwd; id -un; echo $A"), out="^/tmp\nnobody\nb c\n$"),
    Step("run --entrypoint, --read-only", command("run", "--rm", "--read-only", "--entrypoint", "touch", "busybox",
                                                  "/file"), code=1, err="Read-only file system"),
    Step("run --restart on-failure", commands(
        ("run", "-d", "--name", "cs_restart", "--restart", "on-failure:1", "busybox", "sh", "-c", "exit 3"),
        ("wait", "cs_restart"), ("rm", "-f", "cs_restart")), compare="code err"),
    Step("create", command("create", "-i", "--name", "cs_cat", "busybox", "cat"), out="^[0-9a-f]{64}\n$"),
    Step("start -ai", command("start", "-ai", "cs_cat", stdin=b"through cat\n"), out="^through cat\n$"),
    Step("create, start -a: exit code", commands(("create", "--name", "cs_three", "busybox", "sh", "-c",
                                                  "echo three; exit 3"), ("start", "-a", "cs_three")), code=3),
    Step("start: again, of two", commands(("start", "cs_three", "cs_sleep")), out="^cs_three\ncs_sleep\n$"),
    Step("attach: outputs apart, exit code", attach_separate, code=6, out="^out hello\n$", err="^err hello\n$"),
    Step("attach --no-stdin", attach_without_stdin, code=3, out="^tick\nbye\n$", err="^last\n$"),
    Step("attach: ended", command("attach", "cs_three"), code=1, err="cannot attach to a stopped container"),
    Step("exec", command("exec", "cs_sleep", "echo", "in there"), out="^in there\n$"),
    Step("exec: outputs apart, exit code", command("exec", "cs_sleep", "sh", "-c", "echo out; echo err >&2; exit 9"),
         code=9, out="^out\n$", err="^err\n$"),
    Step("exec -i", command("exec", "-i", "cs_sleep", "cat", stdin=b"piped\n"), out="^piped\n$"),
    Step("exec -i: half-close", half_close, out="^first\n100000\nafter\nlate\n$"),
    Step("exec -t without a terminal", command("exec", "-t", "cs_sleep", "echo", "x"), out="^x\r\n$"),
    Step("exec -it", exec_terminal, code=8),
    Step("exec -d", exec_detached),
    Step("exec -e, -w, -u", command("exec", "-e", "A=b", "-w", "/tmp", "-u", "nobody", "cs_sleep", "sh", "-c",
                                    "echo $A $COLOUR; pwd; id -un"), out="^b blue\n/tmp\nnobody\n$"),
    Step("exec: no such program", command("exec", "cs_sleep", "nosuch-program"), code=None),
    Step("exec: stopped container", command("exec", "cs_cat", "true"), code=1, err="is not running"),
    Step("exec: no such container", command("exec", "cs_nosuch", "true"), code=1, err=NO_CONTAINER),
]
