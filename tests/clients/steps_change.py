"""Steps of the CLI scenario that change containers: cp, kill, stop, wait, rename, pause, update, restart, rm."""

import io
import os
import re
import tarfile
import tempfile

from programs import Done, run_bytes, wait_for
from steps import ASKED_BY_ID, Step, command, commands


def copied_in_and_out(session):
  """A folder of two files, one of them of 3 MB, into a container and out of it again."""
  data = os.urandom(3 * 1000 * 1000)
  with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "in"))
    for name, content in (("big", data), ("small", b"small\n")):
      with open(os.path.join(folder, "in", name), "wb") as file:
        file.write(content)
    os.chmod(os.path.join(folder, "in", "small"), 0o640)
    there = session.docker.run("cp", os.path.join(folder, "in"), "cs_work:/root/copied")
    seen = session.docker.run("exec", "cs_work", "sh", "-c", "cd /root/copied && stat -c '%n %a %s' *")
    back = session.docker.run("cp", "cs_work:/root/copied", os.path.join(folder, "out"))
    with open(os.path.join(folder, "out", "big"), "rb") as file:
      same = file.read() == data
  code = there.code or seen.code or back.code
  return Done(code, "%ssame %s\n" % (seen.out, same), (seen.err if code == 0 else there.err + seen.err + back.err))


def copied_as_tar(session):
  """`cp - ` takes a tar from standard input, `cp ... -` gives one."""
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode="w") as archive:
    entry = tarfile.TarInfo("from_tar")
    entry.size = 4
    archive.addfile(entry, io.BytesIO(b"data"))
  there = session.docker.run("cp", "-", "cs_work:/tmp", stdin=buffer.getvalue())
  code, data = run_bytes(session.docker.line("cp", "cs_work:/tmp/from_tar", "-"), session.docker.environment())
  with tarfile.open(fileobj=io.BytesIO(data)) as archive:
    text = archive.extractfile("from_tar").read().decode()
  return Done(there.code or code, text + "\n", there.err)


def waited(session):
  """wait blocks until the container ends and prints its exit code."""
  session.docker.run("run", "-d", "--name", "cs_wait", "busybox", "sh", "-c",
                     "trap 'exit 11' TERM; while true; do sleep 0.1; done")
  client = session.docker.start("wait", "cs_wait")
  wait_for(lambda: "ready" in session.docker.run("exec", "cs_wait", "echo", "ready").out, 10, "it runs")
  early = client.process.poll()
  session.docker.run("kill", "-s", "TERM", "cs_wait")
  done = client.finish(20)
  session.docker.run("rm", "-f", "cs_wait")
  return Done(done.code, "%s %s" % (early, done.out), done.err)


def killed(session):
  """kill answers when the signal is sent; the end comes a moment later."""
  done = session.docker.run("kill", "cs_work")

  def status():
    return session.docker.run("inspect", "--format", "{{.State.Status}}", "cs_work").out

  wait_for(lambda: status() != "running\n", 10, "it ends")
  return Done(done.code, done.out + status(), done.err)


def stopped(session):
  """stop sends TERM and waits for the end."""
  session.docker.run("run", "-d", "--name", "cs_stop", "busybox", "sh", "-c",
                     "trap 'exit 12' TERM; echo ready; while true; do sleep 0.1; done")
  wait_for(lambda: "ready" in session.docker.run("logs", "cs_stop").out, 10, "it runs")
  done = session.docker.run("stop", "cs_stop")
  code = session.docker.run("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "cs_stop")
  session.docker.run("rm", "cs_stop")
  return Done(done.code, done.out + code.out, done.err)


PS_STATE = ("ps", "-a", "--format", "{{.State}}", "--filter")


def status_of(session, name="cs_work"):
  return session.docker.run(*PS_STATE, "name=^/%s$" % name).out


def then_status(*arguments):
  """A change, and what `docker ps` says right after it."""

  def do(session):
    done = session.docker.run(*arguments)
    return Done(done.code, done.out + status_of(session), done.err)

  return do


def renamed_by_prefix(session):
  done = session.docker.run("rename", session.identify("cs_work")[:10], "cs_renamed")
  shown = session.docker.run("ps", "-a", "--filter", "name=cs_renamed", "--format", "{{.Names}}")
  old = session.docker.run("inspect", "--type", "container", "--format", "{{.Name}}", "cs_work")
  back = session.docker.run("rename", "cs_renamed", "cs_work")
  return Done(done.code or back.code, "%s%s\n" % (shown.out, old.code), done.err + back.err)


def removed_all(session):
  ids = session.docker.run("ps", "-aq").out.split()
  done = session.docker.run("rm", "-f", *ids)
  left = session.docker.run("ps", "-aq")
  return Done(done.code, "%d removed, left: %s\n" % (len(done.out.split()), left.out), done.err)


def detached_removal(session):
  """run -d --rm: gone when it ended."""
  done = session.docker.run("run", "-d", "--rm", "--name", "cs_gone", "busybox", "true")
  wait_for(lambda: not session.docker.run("ps", "-aq", "--filter", "name=cs_gone").out, 20, "the container is gone")
  return done


STEPS = [
    Step("a container to work on", command("run", "-d", "--name", "cs_work", "busybox", "sleep", "600")),
    Step("cp both ways", copied_in_and_out, out="^big 644 3000000\nsmall 640 6\nsame True\n$"),
    Step("cp - as tar", copied_as_tar, out="^data\n$"),
    Step("cp: no such path", command("cp", "cs_work:/nosuch", "-"), code=1,
         err="(Could not find the file /nosuch in container|No such container:path)", compare="code out",
         by_design=ASKED_BY_ID, cluster=lambda done, session: re.search("/nosuch in container|:path", done.err)),
    Step("cp: no such folder", command("cp", "/etc/hostname", "cs_work:/nosuch/folder/file"), code=1,
         err="(Could not find the file /nosuch/folder in container|No such container:path)", compare="code out",
         by_design=ASKED_BY_ID, cluster=lambda done, session: re.search("/nosuch/folder|:path", done.err)),
    Step("cp of an ended one", commands(("run", "--name", "cs_over", "busybox", "sh", "-c", "echo kept >/kept"),
                                        ("cp", "cs_over:/kept", "-"), ("rm", "cs_over")),
         compare="code"),
    Step("pause", then_status("pause", "cs_work"), out="^cs_work\npaused\n$"),
    Step("pause: again", command("pause", "cs_work"), code=1, err="already paused"),
    Step("exec: paused", command("exec", "cs_work", "true"), code=1, err="is paused", compare="code out",
         by_design=ASKED_BY_ID, cluster=lambda done, session: re.search("[0-9a-f]{64} is paused", done.err)),
    Step("unpause", then_status("unpause", "cs_work"), out="^cs_work\nrunning\n$"),
    Step("update --memory", commands(
        ("update", "--memory", "64m", "--memory-swap", "64m", "--restart", "no", "cs_work"),
        ("inspect", "--format", "{{.HostConfig.Memory}}", "cs_work")), out="^cs_work\n67108864\n$"),
    Step("restart -t 0", then_status("restart", "-t", "0", "cs_work"), out="^cs_work\nrunning\n$"),
    Step("rename", commands(("rename", "cs_work", "cs_other"), ("rename", "cs_other", "cs_work")), out="^$"),
    Step("rename by id prefix", renamed_by_prefix, out="^cs_renamed\n1\n$"),
    Step("rename: a bad name", command("rename", "cs_work", "bad name"), code=1, err="Invalid container name"),
    Step("rename: taken", commands(("create", "--name", "cs_taken", "busybox"), ("rename", "cs_work", "cs_taken")),
         code=1, err="name \"/cs_taken\" is already in use", compare="code err"),
    Step("create: a bad name", command("create", "--name", "bad name", "busybox"), code=1,
         err="Invalid container name"),
    Step("kill -s: no such signal", command("kill", "-s", "NOSUCH", "cs_work"), code=1, err="[Ii]nvalid signal: NOSUCH",
         compare="code out", by_design=ASKED_BY_ID,
         cluster=lambda done, session: re.search("(daemon|[0-9a-f]{64}): [Ii]nvalid signal", done.err)),
    Step("kill", killed, out="^cs_work\nexited\n$"),
    Step("kill: not running", command("kill", "cs_work"), code=1, err="is not running", compare="code out",
         by_design=ASKED_BY_ID,
         cluster=lambda done, session: re.search("annot kill container: [0-9a-f]{64}: .*is not running", done.err)),
    Step("start", then_status("start", "cs_work"), out="^cs_work\nrunning\n$"),
    Step("stop", stopped, out="^cs_stop\nexited 12\n$"),
    Step("stop: an ended one", commands(("kill", "cs_work"), ("stop", "cs_work"), ("start", "cs_work"))),
    Step("wait", waited, out="^None 11\n$"),
    Step("run -d --rm: gone at its end", detached_removal),
    Step("rm: running", command("rm", "cs_work"), code=1,
         err="([Yy]ou cannot remove a running container|cannot remove container .*: container is running)"),
    Step("rm of two and one that is not", command("rm", "-f", "cs_work", "cs_taken", "cs_nosuch"), code=None,
         out="^cs_work\ncs_taken\n$", err="No such container: cs_nosuch"),
    Step("rm -f of all", removed_all, out="removed, left: \n$"),
]
