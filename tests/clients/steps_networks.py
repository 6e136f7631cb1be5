"""Steps of the CLI scenario with networks and volumes: create, ls, inspect, use, connect, prune, rm."""

from programs import Done
from steps import Step, command, commands


def same_data(session):
  """What one container writes into a named volume another reads."""
  written = session.docker.run("run", "--rm", "-v", "cs_vol:/d", "busybox", "sh", "-c", "echo kept > /d/file")
  read = session.docker.run("run", "--rm", "-v", "cs_vol:/d:ro", "busybox", "cat", "/d/file")
  mounted = session.docker.run("run", "--rm", "--mount", "type=volume,source=cs_vol,target=/d", "busybox", "ls", "/d")
  return Done(written.code or read.code or mounted.code, written.out + read.out + mounted.out,
              written.err + read.err + mounted.err)


def made_by_run(session):
  """A volume that nobody created before."""
  run = session.docker.run("run", "--rm", "-v", "cs_late:/d", "busybox", "touch", "/d/x")
  listed = session.docker.run("volume", "ls", "-q", "--filter", "name=cs_late")
  again = session.docker.run("run", "--rm", "-v", "cs_late:/d", "busybox", "ls", "/d")
  gone = session.docker.run("volume", "rm", "cs_late")
  return Done(run.code or again.code or gone.code, listed.out + again.out + gone.out, run.err + again.err + gone.err)


def on_two(session):
  """Containers in one network, wherever they are, and who is in it."""
  for name in ("cs_net1", "cs_net2"):
    done = session.docker.run("run", "-d", "--name", name, "--network", "cs_net", "busybox", "sleep", "600")
    if done.code != 0:
      return done
  done = session.docker.run("network", "inspect", "--format", "{{range .Containers}}{{.Name}} {{end}}{{.Labels}}", "cs_net")
  return Done(done.code, " ".join(sorted(done.out.split())) + "\n", done.err)


def networks_of(session, container):
  return session.docker.run("inspect", "--format", "{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{end}}",
                            container).out


def connected(session):
  """connect and disconnect, and what inspect says right after each."""
  session.docker.run("run", "-d", "--name", "cs_net3", "busybox", "sleep", "600")
  out, code, err = networks_of(session, "cs_net3"), 0, ""
  for line in (("connect", "--alias", "third", "cs_net", "cs_net3"), ("disconnect", "bridge", "cs_net3"),
               ("disconnect", "cs_net", "cs_net3")):
    done = session.docker.run("network", *line)
    out, code, err = out + done.out + networks_of(session, "cs_net3"), code or done.code, err + done.err
  return Done(code, out, err)


def node_owned(session):
  """A network and a volume of one node, addressed by its name."""
  node = session.docker.run("info", "--format", "{{range .SystemStatus}}{{index . 0}}\n{{end}}").out.split()
  hosts = [word for word in node if word.startswith("dockerhost")]
  host = hosts[-1] if hosts else ""
  prefix = host + "/" if session.is_cluster else ""
  out, code, err = "", 0, ""
  for line in (("network", "create", prefix + "cs_own"), ("volume", "create", prefix + "cs_own"),
               ("run", "--rm", "--network", prefix + "cs_own", "-v", prefix + "cs_own:/d", "busybox", "ls", "/d"),
               ("network", "ls", "-q", "--filter", "name=cs_own"), ("volume", "ls", "-q", "--filter", "name=cs_own"),
               ("network", "rm", prefix + "cs_own"), ("volume", "rm", prefix + "cs_own")):
    done = session.docker.run(*line)
    out, code, err = out + done.out, code or done.code, err + done.err
  return Done(code, out, err)


STEPS = [
    Step("network create", command("network", "create", "--label", "a=b", "cs_net"), out="^[0-9a-f]{64}$"),
    Step("network create, the name is taken", command("network", "create", "cs_net"), 1, err="already exists"),
    Step("network ls shows it once", command("network", "ls", "--filter", "name=cs_net", "--format",
                                             "{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}"), out="^cs_net bridge local a=b$"),
    Step("network inspect", command("network", "inspect", "--format", "{{.Name}} {{.Driver}} {{.Internal}} {{.Labels}}",
                                    "cs_net"), out="cs_net bridge false"),
    Step("network: containers in one", on_two, out="^cs_net1 cs_net2 map.a:b.$"),
    Step("network: ps --filter", command("ps", "--filter", "network=cs_net", "--format", "{{.Networks}}"),
         out="cs_net\ncs_net"),
    Step("network connect, disconnect", connected, out="^bridge \nbridge cs_net \ncs_net \n"),
    Step("network connect, unknown network", command("network", "connect", "nosuch", "cs_net3"), 1, err="nosuch not found"),
    Step("network rm, in use", command("network", "rm", "cs_net"), 1, err="active endpoints", compare="code out"),
    Step("network prune leaves what is used", command("network", "prune", "-f"), out="^$"),
    Step("network: rm the containers", command("rm", "-f", "cs_net1", "cs_net2", "cs_net3"), compare="code"),
    Step("network rm", command("network", "rm", "cs_net"), out="^cs_net$"),
    Step("network rm, unknown", command("network", "rm", "cs_net"), 1, err="cs_net"),
    Step("network inspect, unknown", command("network", "inspect", "cs_net"), 1, err="cs_net"),
    Step("network prune", commands(("network", "create", "cs_idle"), ("network", "prune", "-f")),
         out="Deleted Networks:\ncs_idle"),
    Step("volume create", commands(("volume", "create", "--label", "a=b", "cs_vol"), ("volume", "create", "cs_vol")),
         out="^cs_vol\ncs_vol$"),
    Step("volume ls shows it once", command("volume", "ls", "--filter", "name=cs_vol", "--format",
                                            "{{.Name}} {{.Driver}} {{.Labels}}"), out="^cs_vol local a=b$"),
    Step("volume inspect", command("volume", "inspect", "--format", "{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}", "cs_vol"),
         out="^cs_vol local local map.a:b.$"),
    Step("volume: containers share it", same_data, out="^kept\nfile$"),
    Step("volume: run makes one", made_by_run, out="^cs_late\nx\ncs_late$"),
    Step("volume rm, in use", commands(("create", "--name", "cs_user", "-v", "cs_vol:/d", "busybox"),
                                       ("volume", "rm", "cs_vol")), 1, err="volume is in use", compare="code out"),
    Step("volume: rm the user", command("rm", "cs_user")),
    Step("volume rm", command("volume", "rm", "cs_vol"), out="^cs_vol$"),
    Step("volume rm, unknown", command("volume", "rm", "cs_vol"), 1, err="cs_vol"),
    Step("volume rm -f, unknown", command("volume", "rm", "-f", "cs_vol"), out="^cs_vol$"),
    Step("volume inspect, unknown", command("volume", "inspect", "cs_vol"), 1, err="cs_vol"),
    Step("volume prune", commands(("volume", "create", "cs_idle"), ("volume", "prune", "-f"), ("volume", "rm", "-f", "cs_idle")),
         out="Total reclaimed space"),
    Step("network and volume of one node", node_owned, compare="code",
         by_design="node/name addresses one node's own network and volume",
         cluster=lambda done, session: "/cs_own\n" in done.out),
]
