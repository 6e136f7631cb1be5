#!/usr/bin/env python3
"""Writes the container images of the tests and the demonstration as one docker-archive.

usage: make_images.py ARCHIVE            writes ARCHIVE, unless it already holds what would be written
       make_images.py --ids ARCHIVE      prints "NAME IMAGE_ID" for every image in it

The images are made of programs that Debian packages installed on this machine: the same packages give the same
bytes, so an image has the same id on every engine that loads it. No registry is asked.

  busybox, alpine   busybox                                  CMD sh
  ubuntu            busybox and bash                         CMD bash
  nginx             nginx on port 80, answers "hello from HOSTNAME"; serves files put in /usr/share/nginx/html
  mbajor/deepthought   nginx on port 80, answers "42, says HOSTNAME"
  redis             redis-server on port 6379
  mysql             a stand-in: listens on 3306 and answers every client with a MySQL error that says so

Exit code 0: written; images whose program is not installed are left out and named on standard error.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

CREATED = "2024-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APPLETS_LEFT_OUT = {"busybox", "dpkg", "dpkg-deb", "rpm", "rpm2cpio"}

NGINX_CONFIGURATION = """\
user root;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
  access_log /dev/stdout;
  default_type text/plain;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen 80;
    root /usr/share/nginx/html;
    location / { try_files $uri @greeting; }
    location @greeting { return 200 "%s\\n"; }
  }
}
"""

MYSQL_STAND_IN = """\
#!/bin/sh
# Stands in for a MySQL server where only a listening port 3306 is needed. It holds no database.
trap 'kill $!; exit 0' TERM INT
nc -ll -p 3306 -e cat /etc/mysql-stand-in.packet &
echo "mysql stand-in: listening on port 3306, no database here"
wait $!
"""
MYSQL_STAND_IN_TEXT = "this image is a stand-in: it listens on port 3306 and holds no database"


class Layer:
  """One file system layer: a tar whose bytes depend on nothing but what was added, and on what lies below."""

  def __init__(self, below=None):
    self._below = below
    self._entries = {}  # path -> (TarInfo, content)

  def holds(self, path):
    return path.strip("/") in self._entries or (self._below is not None and self._below.holds(path))

  def _add(self, path, kind, mode, content=b"", target=""):
    path = path.strip("/")
    parent = os.path.dirname(path)
    if parent and not self.holds(parent):
      self.folder(parent)
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), target
    self._entries[path] = (entry, content)

  def folder(self, path, mode=0o755):
    self._add(path, tarfile.DIRTYPE, mode)

  def file(self, path, content, mode=0o644):
    self._add(path, tarfile.REGTYPE, mode, content.encode() if isinstance(content, str) else content)

  def link(self, path, target):
    self._add(path, tarfile.SYMTYPE, 0o777, target=target)

  def copy(self, source, path):
    with open(source, "rb") as stream:
      self.file(path, stream.read(), 0o755)

  def program(self, source, path):
    """A program of this machine with the shared libraries it needs, each at its own path."""
    self.copy(source, path)
    for library in shared_libraries(source):
      if not self.holds(library):
        self.copy(library, library)

  def bytes(self):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
      for path in sorted(self._entries):
        entry, content = self._entries[path]
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def shared_libraries(program):
  answer = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
  words = [word for line in answer.splitlines() for word in line.split()]
  return sorted({word for word in words if word.startswith("/")})


def base_layer(busybox):
  layer = Layer()
  for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "etc", "proc", "sys", "dev", "run", "root", "home", "var/log",
                 "var/lib", "opt", "srv", "mnt"):
    layer.folder(folder)
  layer.folder("tmp", 0o1777)
  layer.folder("var/tmp", 0o1777)
  layer.copy(busybox, "bin/busybox")
  for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
    if applet not in APPLETS_LEFT_OUT:
      layer.link("bin/" + applet, "busybox")
  layer.link("usr/bin/env", "/bin/env")
  layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n")
  layer.file("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")
  # A static program looks names up through these at run time; without them busybox's network tools crash.
  for library in shared_libraries(shutil.which("bash")):
    folder = os.path.dirname(library)
    if os.path.basename(library) == "libc.so.6":
      for name in ("libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2"):
        if os.path.exists(os.path.join(folder, name)):
          layer.copy(os.path.join(folder, name), os.path.join(folder, name))
    if "tinfo" not in library:
      layer.copy(library, library)
  return layer


def bash_layer(base, bash):
  layer = Layer(base)
  layer.program(bash, "bin/bash")
  layer.file("etc/os-release", 'NAME="libswarm ubuntu stand-in"\nPRETTY_NAME="busybox and bash"\n')
  return layer


def nginx_layer(base, nginx):
  layer = Layer(base)
  layer.program(nginx, "usr/sbin/nginx")
  layer.folder("usr/share/nginx/html")
  layer.folder("var/log/nginx")
  layer.folder("var/lib/nginx")
  return layer


def nginx_configuration_layer(nginx, greeting):
  layer = Layer(nginx)
  layer.file("etc/nginx/nginx.conf", NGINX_CONFIGURATION % greeting)
  return layer


def redis_layer(base, redis):
  layer = Layer(base)
  layer.program(redis, "usr/bin/redis-server")
  command_line = shutil.which("redis-cli")
  if command_line:
    layer.program(command_line, "usr/bin/redis-cli")
  return layer


def mysql_layer(base):
  message = MYSQL_STAND_IN_TEXT.encode()
  payload = b"\xff" + (1105).to_bytes(2, "little") + message  # an ERR packet, as sent before any handshake
  layer = Layer(base)
  layer.file("etc/mysql-stand-in.packet", len(payload).to_bytes(3, "little") + b"\0" + payload)
  layer.file("usr/bin/mysql-stand-in", MYSQL_STAND_IN, 0o755)
  return layer


def digest(data):
  return hashlib.sha256(data).hexdigest()


def image(names, layers, command, port=None, description=""):
  """(names, configuration as bytes, layers as bytes), from layers given lowest first."""
  layers = [layer.bytes() for layer in layers]
  settings = {"Cmd": command, "Env": ["PATH=" + PATH], "WorkingDir": "/", "Labels": {"description": description}}
  if port:
    settings["ExposedPorts"] = {"%d/tcp" % port: {}}
  configuration = {
      "architecture": ARCHITECTURES.get(os.uname().machine, os.uname().machine),
      "os": "linux",
      "created": CREATED,
      "config": settings,
      "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer) for layer in layers]},
      "history": [{"created": CREATED, "created_by": "libswarm scripts/images.sh"} for _ in layers],
  }
  return [name + ":latest" for name in names], json.dumps(configuration, sort_keys=True).encode(), layers


def make_images():
  def installed(program, *names):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":" + PATH)
    if not path:
      print("SKIPPED image %s: %s is not installed" % (" ".join(names), program), file=sys.stderr)
    return path and os.path.realpath(path)

  busybox = installed("busybox", "busybox", "and all others")
  if not busybox:
    sys.exit(1)
  base = base_layer(busybox)
  images = [image(["busybox", "alpine"], [base], ["sh"], description="busybox"),
            image(["mysql"], [base, mysql_layer(base)], ["mysql-stand-in"], 3306, "mysql: " + MYSQL_STAND_IN_TEXT)]
  bash = installed("bash", "ubuntu")
  if bash:
    images.append(image(["ubuntu"], [base, bash_layer(base, bash)], ["/bin/bash"], description="busybox and bash"))
  nginx = installed("nginx", "nginx", "mbajor/deepthought")
  if nginx:
    command = ["nginx", "-g", "daemon off;"]
    programs = nginx_layer(base, nginx)
    hello, answer = (nginx_configuration_layer(programs, text) for text in ("hello from $hostname", "42, says $hostname"))
    images.append(image(["nginx"], [base, programs, hello], command, 80, "nginx"))
    images.append(image(["mbajor/deepthought"], [base, programs, answer], command, 80, "nginx with the answer"))
  redis = installed("redis-check-rdb", "redis")  # Debian's redis-server is a link to this program
  if redis:
    command = ["redis-server", "--protected-mode", "no", "--save", ""]
    images.append(image(["redis"], [base, redis_layer(base, redis)], command, 6379, "redis-server"))
  return images


def write_archive(path, images):
  files, manifest = {}, []
  for names, configuration, layers in images:
    files[digest(configuration) + ".json"] = configuration
    for layer in layers:
      files[digest(layer) + "/layer.tar"] = layer
    manifest.append({"Config": digest(configuration) + ".json", "RepoTags": names,
                     "Layers": [digest(layer) + "/layer.tar" for layer in layers]})
  files["manifest.json"] = json.dumps(manifest, sort_keys=True).encode()
  temporary = path + ".new.%d" % os.getpid()
  with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive:
    for name in sorted(files):
      entry = tarfile.TarInfo(name)
      entry.size = len(files[name])
      archive.addfile(entry, io.BytesIO(files[name]))
  os.replace(temporary, path)


def ids_in(path):
  """[(name, image id)] of an archive; [] when there is none."""
  try:
    with tarfile.open(path) as archive:
      manifest = json.load(archive.extractfile("manifest.json"))
  except (OSError, KeyError, tarfile.TarError):
    return []
  return [(name, "sha256:" + entry["Config"][:-len(".json")]) for entry in manifest for name in entry["RepoTags"]]


def main(arguments):
  if len(arguments) == 2 and arguments[0] == "--ids":
    for name, identity in sorted(ids_in(arguments[1])):
      print(name, identity)
  elif len(arguments) == 1 and not arguments[0].startswith("-"):
    images = make_images()
    wanted = [(name, "sha256:" + digest(configuration)) for names, configuration, _ in images for name in names]
    if wanted != ids_in(arguments[0]):
      write_archive(arguments[0], images)
  else:
    print(__doc__, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
  main(sys.argv[1:])
