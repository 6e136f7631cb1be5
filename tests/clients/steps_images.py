"""Steps of the CLI scenario that change images: tag, save, load, commit, import, rmi, prune, push."""

import io
import json
import os
import re
import tarfile
import tempfile

from programs import Done, run_bytes
from steps import Step, command, commands

LISTED = ("images", "--format", "{{.Repository}}:{{.Tag}}")
ON_ALL_NODES = "every node takes part, and the text names them"


def identity(session, image):
  return session.docker.run("image", "inspect", "--format", "{{.Id}}", image).out.strip()


def held(session, image):
  """How many ids the endpoint has under a name, and whether every node of a cluster holds it."""
  rows = [row for row in session.api.get("/images/json") if image in (row["RepoTags"] or ())]
  nodes = {name for row in rows for name in row.get("Nodes", ())}
  wanted = len(re.findall("Healthy", json.dumps(session.api.get("/info").get("SystemStatus")))) if session.is_cluster else 0
  return "%d id, everywhere: %s\n" % (len(rows), len(nodes) == wanted)


def tagged(session):
  """A tag is there at once, and is the same image."""
  done = session.docker.run("tag", "busybox", "cs_img:v1")
  listed = session.docker.run(*LISTED, "cs_img")
  same = identity(session, "cs_img:v1") == identity(session, "busybox")
  return Done(done.code, "%s%s\n%s" % (listed.out, same, held(session, "cs_img:v1")), done.err)


def untagged(session):
  done = session.docker.run("rmi", "cs_img:v1")
  return Done(done.code, done.out + session.docker.run(*LISTED, "cs_img").out, done.err)


def saved_and_loaded(session):
  """save | load brings back a tag that was removed."""
  docker = session.docker
  before = docker.run("tag", "busybox", "cs_saved:v1")
  code, archive = run_bytes(docker.line("save", "cs_saved:v1"), docker.environment())
  gone = docker.run("rmi", "cs_saved:v1")
  done = docker.run("load", stdin=archive)
  same = identity(session, "cs_saved:v1") == identity(session, "busybox")
  there = held(session, "cs_saved:v1")
  after = docker.run("rmi", "cs_saved:v1")
  return Done(before.code or code or gone.code or done.code or after.code, "%s%s\n%s" % (done.out, same, there), done.err)


def saved_to_file(session):
  """Two images in one archive."""
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "two.tar")
    done = session.docker.run("save", "-o", path, "busybox", "nginx")
    with tarfile.open(path) as archive:
      manifest = json.load(archive.extractfile("manifest.json"))
    loaded = session.docker.run("load", "-q", "-i", path)
  tags = sorted(tag for entry in manifest for tag in entry["RepoTags"])
  return Done(done.code or loaded.code, "%s\n%s" % (tags, "".join(sorted(loaded.out.splitlines(True)))),
              done.err + loaded.err)


def committed(session):
  """A container becomes an image, which runs right after."""
  docker = session.docker
  docker.run("run", "--name", "cs_commit", "busybox", "sh", "-c", "echo kept >/kept")
  done = docker.run("commit", "-m", "a message", "-c", "CMD [\"cat\", \"/kept\"]", "cs_commit", "cs_made:v1")
  ran = docker.run("run", "--rm", "cs_made:v1")
  note = docker.run("image", "inspect", "--format", "{{.Comment}}", "cs_made:v1")
  return Done(done.code or ran.code, done.out + ran.out + note.out, done.err + ran.err)


def imported(session):
  """The file system of a container becomes an image of every node, under one id."""
  docker = session.docker
  code, archive = run_bytes(docker.line("export", "cs_commit"), docker.environment())
  done = docker.run("import", "-c", "CMD [\"cat\", \"/kept\"]", "-", "cs_imported:v1", stdin=archive)
  ran = docker.run("run", "--rm", "cs_imported:v1")
  same = identity(session, "cs_imported:v1") == done.out.strip()
  return Done(code or done.code or ran.code, "%s%s%s\n%s" % (done.out, ran.out, same, held(session, "cs_imported:v1")),
              done.err + ran.err)


def pruned(session):
  """An image without a name goes, one with a name stays."""
  docker = session.docker
  nameless = docker.run("commit", "cs_commit").out.strip()
  done = docker.run("image", "prune", "-f")
  gone = docker.run("image", "inspect", nameless)
  return Done(done.code, "%s %s\n%s" % (nameless in done.out, gone.code, docker.run(*LISTED, "cs_made").out), done.err)


def junk():
  return io.BytesIO(b"this is no archive" * 100).getvalue()


STEPS = [
    Step("tag", tagged, out="^cs_img:v1\nTrue\n1 id, everywhere: True\n$"),
    Step("tag: no such image", command("tag", "cs_nosuch", "cs_img:v2"), code=1, err="No such image: cs_nosuch:latest"),
    Step("rmi of a tag", untagged, out="^Untagged: cs_img:v1\n$"),
    Step("rmi: no such image", command("rmi", "cs_img:v1"), code=1, err="No such image: cs_img:v1"),
    Step("save | load", saved_and_loaded, out="^Loaded image: cs_saved:v1\nTrue\n1 id, everywhere: True\n$"),
    Step("save -o of two, load -q -i", saved_to_file, out="busybox:latest.*nginx:latest.*Loaded image: nginx:latest"),
    Step("save: no such image", command("save", "cs_nosuch"), code=1, compare="code", by_design="ages differ in words",
         cluster=lambda done, session: "No such image: cs_nosuch:latest" in done.err),
    Step("load: no archive", command("load", stdin=junk()), code=1, compare="code", by_design=ON_ALL_NODES,
         cluster=lambda done, session: re.search(r"loaded on 0 of \d+ nodes: dockerhost01: ", done.err)),
    Step("commit", committed, out="^sha256:[0-9a-f]{64}\nkept\na message\n$"),
    Step("commit: no such container", command("commit", "cs_nosuch"), code=1, err="No such container: cs_nosuch"),
    Step("import -", imported, out="^sha256:[0-9a-f]{64}\nkept\nTrue\n1 id, everywhere: True\n$"),
    Step("rmi: in use", commands(("create", "--name", "cs_user", "cs_made:v1"), ("rmi", "cs_made:v1")), code=1,
         err="conflict: unable to remove repository reference \"cs_made:v1\"", compare="code",
         by_design="the text names the node",
         cluster=lambda done, session: re.search(r"\(node dockerhost\d\d\)", done.err)),
    Step("image prune", pruned, out="^True 1\ncs_made:v1\n$", err="^$", compare="code out err"),
    Step("push: no such registry", commands(("tag", "busybox", "nosuch.invalid/cs_push:1"),
                                            ("push", "nosuch.invalid/cs_push:1")), code=1,
         err="nosuch.invalid|dial tcp|no such host", compare="code",
         by_design="the text names the node",
         cluster=lambda done, session: re.search(r"Pushing from node dockerhost\d\d|no such host|dial tcp", done.out + done.err)),
    Step("rmi of all", commands(("rm", "-f", "cs_commit", "cs_user"), ("rmi", "nosuch.invalid/cs_push:1"),
                                ("rmi", "-f", "cs_made:v1", "cs_imported:v1"), (*LISTED, "cs_*")),
         out="Untagged: cs_made:v1.*Untagged: cs_imported:v1", compare="code err"),
]
