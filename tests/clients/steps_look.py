"""Steps of the CLI scenario that look: ps, inspect, logs, stats, top, diff, events, images, info, version."""

import io
import re
import tarfile
import time
import urllib.request

from programs import Done, run_bytes, wait_for
from steps import Step, command, commands

PS = ("ps", "--format", "{{.Names}}|{{.Image}}|{{.State}}")
INSPECTED = ("{{.Name}} {{.Config.Hostname}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Config.Image}} "
             "{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.Memory}} {{.Config.Labels.role}} {{.Image}}")


def scene(session):
  """The containers that the looking steps see: one running, one ended with 3, one created, one that serves."""
  docker = session.docker
  lines = (("run", "-d", "--name", "cs_up", "--label", "role=look", "--label", "tier=a", "-e", "A=1", "--hostname",
            "looked", "--memory", "128m", "busybox", "sleep", "600"),
           ("run", "--name", "cs_ended", "--label", "role=look", "busybox", "sh", "-c",
            "echo one; echo two >&2; sleep 0.2; echo three; exit 3"),
           ("create", "--name", "cs_made", "--label", "role=other", "ubuntu", "true"),
           ("run", "-d", "--name", "cs_web", "-p", "80", "-p", "18080:81", "nginx"))
  out = ""
  for line in lines:
    done = docker.run(*line)
    out += "%s %s\n" % (line[-1], done.code)
    session.kept[line[line.index("--name") + 1]] = session.identify(line[line.index("--name") + 1])
  return Done(0, out, "")


def by_id(*arguments):
  """A step on the id of a container instead of its name: {NAME} in an argument is replaced."""

  def do(session):
    return session.docker.run(*[re.sub(r"\{(cs_\w+)(:\d+)?\}",
                                       lambda found: session.kept[found.group(1)][:int((found.group(2) or ":64")[1:])],
                                       argument) for argument in arguments])

  return do


def follow_logs(session):
  """logs -f shows what is there and what comes, and ends with the container."""
  docker = session.docker
  docker.run("run", "-di", "--name", "cs_follow", "busybox", "sh", "-c", "echo begin; read word; echo end; echo err >&2")
  client = docker.start("logs", "-f", "cs_follow")
  client.wait_output("begin")
  docker.run("attach", "--sig-proxy=false", "cs_follow", stdin=b"go\n", seconds=20)
  done = client.finish(20)
  docker.run("rm", "-f", "cs_follow")
  return done


def logs_since(session):
  docker = session.docker
  docker.run("run", "--name", "cs_since", "busybox", "sh", "-c", "echo early; sleep 1.2; echo late")
  stamped = docker.run("logs", "-t", "cs_since").out
  since = re.search(r"^(\S+) late", stamped, re.M).group(1)
  done = docker.run("logs", "--since", since, "cs_since")
  until = docker.run("logs", "--until", re.search(r"^(\S+) early", stamped, re.M).group(1), "cs_since")
  docker.run("rm", "-f", "cs_since")
  return Done(done.code, "since: %suntil: %s" % (done.out, until.out), done.err)


EVENT = ("--filter", "container=cs_event", "--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}")


def make_events(docker):
  docker.run("run", "--name", "cs_event", "busybox", "true")
  docker.run("start", "-a", "cs_event")
  docker.run("rename", "cs_event", "cs_event2")
  docker.run("rename", "cs_event2", "cs_event")
  docker.run("rm", "cs_event")


def past_events(session):
  """events --since --until: those of a container that is gone."""
  begin = time.time()
  make_events(session.docker)
  end = time.time() + 0.001
  wait_for(lambda: time.time() > end + 1, 5, "a second")
  return session.docker.run("events", "--since", "%.6f" % begin, "--until", "%.6f" % end, *EVENT, seconds=20)


def live_events(session):
  """events while they happen; the filter keeps other containers out."""
  client = session.docker.start("events", *EVENT)
  wait_for(lambda: first_event(session, client), 20, "the events client is connected")
  make_events(session.docker)
  wait_for(lambda: client.out.count("destroy") >= 2, 20, "the event destroy")
  client.process.terminate()
  done = client.finish(10)
  return Done(0, done.out[done.out.index("destroy cs_event\n") + len("destroy cs_event\n"):], done.err)


def first_event(session, client):
  if "destroy" not in client.out:
    session.docker.run("run", "--rm", "--name", "cs_event", "busybox", "true")
  return "destroy" in client.out


def exported(session):
  """export, read as tar."""
  touched = session.docker.run("exec", "cs_up", "sh", "-c", "echo x >/tmp/exported")
  code, data = run_bytes(session.docker.line("export", "cs_up"), session.docker.environment())
  with tarfile.open(fileobj=io.BytesIO(data)) as archive:
    members = archive.getnames()
  return Done(code, "%d members, tmp/exported %s\n" % (len(members), "tmp/exported" in members), touched.err)


def served(session):
  """The published port answers at the address that `docker port` names."""
  done = session.docker.run("port", "cs_web", "80")
  address, port = re.match(r"(\S+):(\d+)", done.out).groups()
  if address == "0.0.0.0":
    address = re.match(r"tcp://(.+):\d+", session.api.host).group(1)
  opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

  def fetch():
    try:
      with opener.open("http://%s:%s/" % (address, port), timeout=2) as reply:
        return reply.read().decode()
    except OSError:
      return ""

  text = wait_for(fetch, 10, "http://%s:%s/ answers" % (address, port))
  return Done(done.code, text, done.err)


def on_node_address(done, _session):
  """Every line names a node's own address, never 0.0.0.0."""
  lines = done.out.split("\n")[:-1]
  return bool(lines) and all(re.search(r"10\.\d+\.\d+\.20\d:\d+$", line) for line in lines)


def no_such(*arguments):
  by_design = "one text for every call; an engine has one of its own for kill" if arguments[0] == "kill" else None
  return Step("%s: no such container" % arguments[0], command(*arguments), code=1, err="No such container(:path)?: cs_nosuch",
              by_design=by_design, compare="code" if by_design else "code out err",
              cluster=lambda done, session: "No such container: cs_nosuch" in done.err)


STEPS = [
    Step("a scene of four containers", scene),
    Step("ps", command(*PS)),
    Step("ps -a", command(*PS, "-a")),
    Step("ps -a --filter name", command(*PS, "-a", "--filter", "name=cs_e"), out="^cs_ended\\|busybox\\|exited\n$"),
    Step("ps -a --filter name, anchored", command(*PS, "-a", "--filter", "name=^/cs_up$"), out="^cs_up\\|"),
    Step("ps -a --filter status=created", command(*PS, "-a", "--filter", "status=created"), out="^cs_made\\|"),
    Step("ps --filter status=exited, exited=3", command(*PS, "--filter", "status=exited", "--filter", "exited=3")),
    Step("ps -a --filter label", command(*PS, "-a", "--filter", "label=role=look")),
    Step("ps -a --filter label key", command(*PS, "-a", "--filter", "label=role")),
    Step("ps -a --filter ancestor", command(*PS, "-a", "--filter", "ancestor=nginx"), out="^cs_web\\|"),
    Step("ps -a --filter two of one kind", command(*PS, "-a", "--filter", "name=cs_up", "--filter", "name=cs_made")),
    Step("ps -a --filter id", by_id(*PS, "-a", "--filter", "id={cs_ended:12}"), out="^cs_ended\\|"),
    Step("ps -a --filter before", command(*PS, "-a", "--filter", "before=cs_made", "--filter", "label=role")),
    Step("ps -a --filter since", command(*PS, "-a", "--filter", "since=cs_ended", "--filter", "name=cs_[mw]")),
    Step("ps --filter publish", command(*PS, "--filter", "publish=18080"), out="^cs_web\\|"),
    Step("ps --filter volume, network", command(*PS, "--filter", "network=bridge", "--filter", "name=cs_up")),
    Step("ps --filter bad", command(*PS, "--filter", "nosuch=x"), code=1, err="[Ii]nvalid filter"),
    Step("ps -n 2", command(*PS, "-n", "2"), out="^cs_web\\|.*\ncs_made\\|"),
    Step("ps -l", command(*PS, "-l"), out="^cs_web\\|"),
    Step("ps -q --no-trunc", command("ps", "-q", "--no-trunc", "--filter", "name=cs_up"), out="^[0-9a-f]{64}\n$"),
    Step("ps -s", command("ps", "-s", "--filter", "name=cs_up", "--format", "{{.Names}} {{.Size}}"), out="virtual"),
    Step("ps table", command("ps", "--filter", "name=cs_up")),
    Step("ps: commands and labels", command("ps", "--filter", "name=cs_up", "--format",
                                            '{{.Command}} {{.Label "role"}} {{.RunningFor}} {{.Status}}')),
    Step("ps: ports", command("ps", "--filter", "name=cs_web", "--format", "{{.Ports}}"), compare="code",
         by_design="ports are shown at the address of the node",
         cluster=lambda done, session: re.search(r"10\.\d+\.\d+\.20\d:18080->81/tcp", done.out)),
    Step("inspect", command("inspect", "--format", INSPECTED, "cs_up")),
    Step("inspect by id prefix", by_id("inspect", "--format", "{{.Name}}", "{cs_up:9}"), out="^/cs_up\n$"),
    Step("inspect of an ended one", command("inspect", "--format", INSPECTED, "cs_ended")),
    Step("inspect --size", command("inspect", "--size", "--format", "{{.SizeRootFs}}", "cs_up"), out=r"^\d{5,}\n$"),
    Step("inspect: ports", command("inspect", "--format", '{{json (index .NetworkSettings.Ports "81/tcp")}}', "cs_web"),
         compare="code", by_design="HostIp is the address of the node",
         cluster=lambda done, session: re.search(r'"HostIp":"10\.[\d.]+20\d","HostPort":"18080"', done.out)),
    Step("inspect nosuch", command("inspect", "cs_nosuch"), code=1, out=r"^\[\]\n$", err="No such object: cs_nosuch"),
    Step("inspect one of two", command("inspect", "--format", "{{.Name}}", "cs_up", "cs_nosuch"), code=1,
         out="^/cs_up\n$", err="No such object: cs_nosuch"),
    Step("inspect an image", command("inspect", "--format", "{{json .RepoTags}} {{.Id}}", "nginx"), out="nginx:latest"),
    Step("container inspect nosuch", command("container", "inspect", "cs_nosuch"), code=1,
         err="No such container(:path)?: cs_nosuch"),
    Step("logs: outputs apart", command("logs", "cs_ended"), out="^one\nthree\n$", err="^two\n$"),
    Step("logs --tail 1", command("logs", "--tail", "1", "cs_ended"), out="^three\n$"),
    Step("logs -t", command("logs", "-t", "cs_ended"), out=r"^\d{4}-\S+Z one\n"),
    Step("logs --since, --until", logs_since, out="^since: late\nuntil: (early\n)?$", compare="code err"),
    Step("logs -f", follow_logs, out="^begin\nend\n$", err="^err\n$"),
    Step("logs --details", command("logs", "--details", "--tail", "1", "cs_ended")),
    Step("stats --no-stream", command("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "cs_up"),
         out="^cs_up 1\n$"),
    Step("stats --no-stream of all", command("stats", "--no-stream", "--format", "{{.Name}}"), out="cs_up"),
    Step("top", command("top", "cs_up"), out=r"^UID +PID .*\n.*sleep 600\n$", compare="code err"),
    Step("top with columns", command("top", "cs_up", "-eo", "pid,comm"), out=r"^PID +COMMAND\n\d+ +sleep\n$",
         compare="code err"),
    Step("top of an ended one", command("top", "cs_ended"), code=1, err="is not running"),
    Step("diff", commands(("exec", "cs_up", "touch", "/root/new"), ("diff", "cs_up")),
         out="C /root\nA /root/new\n"),
    Step("export", exported, out="tmp/exported True"),
    Step("port: it answers", served, out="^hello from [0-9a-f]{12}\n$"),
    Step("port", command("port", "cs_web"), compare="code err",
         by_design="ports are shown at the address of the node", cluster=on_node_address),
    Step("port of one", command("port", "cs_web", "81/tcp"), compare="code err",
         by_design="ports are shown at the address of the node", cluster=on_node_address),
    Step("port: not published", command("port", "cs_web", "99"), code=1,
         err="No public port '99(/tcp)?' published for cs_web"),
    Step("events --since --until", past_events,
         out="container create cs_event\n.*container die cs_event\n.*container destroy cs_event\n$"),
    Step("events, live", live_events, out="^container create cs_event\n.*container destroy cs_event\n$"),
    Step("images", command("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "--filter",
                           "reference=nginx")),
    Step("images: all", command("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}"), compare="code err",
         out="nginx:latest"),
    Step("image inspect", command("image", "inspect", "--format", "{{.Id}} {{.Os}} {{json .Config.Cmd}}", "busybox")),
    Step("image inspect nosuch", command("image", "inspect", "cs_nosuch"), code=1, err="No such image: cs_nosuch"),
    Step("pull: no such registry", command("pull", "nosuch.invalid/image:1"), code=1, err="nosuch.invalid",
         compare="code", by_design="every node pulls, and the text names them",
         cluster=lambda done, session: re.search(r"lookup nosuch.invalid|no such host|dial tcp|unreachable", done.err)),
    Step("version", command("version"), compare="code", out="Server", by_design="it names swarmd",
         cluster=lambda done, session: re.search(r"Version: +swarm/\S+", done.out)),
    Step("info", command("info"), compare="code", by_design="it tells of the cluster",
         cluster=lambda done, session: re.search(r"Server Version: swarm/\S+", done.out)),
    Step("info: containers", command("info", "--format", "{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} "
                                     "{{.ContainersStopped}} {{.OSType}} {{.Architecture}}")),
]
STEPS += [no_such(*line) for line in (
    ("logs", "cs_nosuch"), ("top", "cs_nosuch"), ("diff", "cs_nosuch"), ("port", "cs_nosuch"), ("export", "cs_nosuch"),
    ("stats", "--no-stream", "cs_nosuch"), ("attach", "cs_nosuch"), ("wait", "cs_nosuch"), ("start", "cs_nosuch"),
    ("stop", "cs_nosuch"), ("kill", "cs_nosuch"), ("restart", "cs_nosuch"), ("pause", "cs_nosuch"),
    ("unpause", "cs_nosuch"), ("rename", "cs_nosuch", "cs_other"), ("update", "--memory", "64m", "cs_nosuch"),
    ("rm", "cs_nosuch"), ("cp", "cs_nosuch:/etc/passwd", "-"))]
