"""Steps of the CLI scenario that ask or clean every node: system df, prune, plugins; and what needs swarm mode."""

import re
import time

from programs import Done, wait_for
from steps import Step, command

LABEL = "cs=prune"


def pruned(session):
  """container prune removes what does not run, wherever it is, and leaves what runs; ps agrees at once."""
  docker = session.docker
  for name in ("one", "two", "three"):
    docker.run("create", "--name", "cs_prune_" + name, "--label", LABEL, "busybox", "true")
  docker.run("run", "-d", "--name", "cs_prune_up", "--label", LABEL, "busybox", "sleep", "600")
  done = docker.run("container", "prune", "-f", "--filter", "label=" + LABEL)
  left = docker.run("ps", "-a", "--filter", "label=" + LABEL, "--format", "{{.Names}}")
  names = "".join(re.sub(r"[^,\n]*/", "", line).split(",")[0] + "\n" for line in left.out.splitlines())
  docker.run("rm", "-f", "cs_prune_up")
  return Done(done.code, done.out + "left: " + names, done.err + left.err)


def pruned_events(session):
  """events --since --until of several containers, wherever they were, in the order of their times."""
  docker = session.docker
  begin = time.time()
  for name in ("one", "two", "three"):
    docker.run("run", "--rm", "--name", "cs_event_" + name, "--label", "cs=order", "busybox", "true")
  end = time.time() + 0.001
  wait_for(lambda: time.time() > end + 1, 5, "a second")
  return docker.run("events", "--since", "%.6f" % begin, "--until", "%.6f" % end, "--filter", "label=cs=order",
                    "--filter", "event=start", "--format", "{{.Action}} {{.Actor.Attributes.name}}", seconds=20)


def swarm_init(session):
  """Only at swarmd: an engine would do it."""
  if not session.is_cluster:
    return Done(1, "", "not asked")
  return session.docker.run("swarm", "init")


def needs_swarm_mode(*words):
  return Step(" ".join(words), command(*words), code=1, err="This node is not a swarm manager", compare="code out",
              by_design="the text says what swarmd is",
              cluster=lambda done, session: re.search(r"not a swarm manager\. swarmd is", done.err))


STEPS = [
    Step("container prune", pruned, out=r"^Deleted Containers:\n([0-9a-f]{64}\n){3}\n"
         r"Total reclaimed space: \S+\nleft: cs_prune_up\n$"),
    Step("container prune: nothing", command("container", "prune", "-f", "--filter", "label=cs=nosuch"),
         out=r"^Total reclaimed space: 0B\n$"),
    Step("container prune: bad filter", command("container", "prune", "-f", "--filter", "nosuch=x"), code=1,
         err="(?i)invalid filter"),
    Step("system df", command("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"),
         out=r"^Images \d+ \d+\nContainers \d+ \d+\nLocal Volumes \d+ \d+\nBuild Cache \d+ \d+\n$"),
    Step("system df -v", command("system", "df", "-v"), out="Images space usage:.*Containers space usage:",
         compare="code err"),
    Step("events of several, in order", pruned_events,
         out="^start cs_event_one\nstart cs_event_two\nstart cs_event_three\n$"),
    Step("plugin ls", command("plugin", "ls"), out=r"^ID +NAME +DESCRIPTION +ENABLED\n$"),
    Step("plugin inspect nosuch", command("plugin", "inspect", "cs_nosuch"), code=1, err="cs_nosuch"),
    Step("checkpoint ls", command("checkpoint", "ls", "cs_nosuch"), code=1),
    needs_swarm_mode("service", "ls"),
    needs_swarm_mode("node", "ls"),
    needs_swarm_mode("secret", "ls"),
    needs_swarm_mode("config", "ls"),
    needs_swarm_mode("stack", "ls"),
    Step("swarm init", swarm_init, code=1, compare="code out", by_design="it is never sent to an engine",
         cluster=lambda done, session: re.search(r"not a swarm manager\. swarmd is", done.err)),
    Step("swarm init: no engine took it", command("info", "--format", "{{.Swarm.LocalNodeState}}"),
         out="^inactive\n$"),
]
