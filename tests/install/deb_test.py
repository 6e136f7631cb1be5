#!/usr/bin/env python3
"""The Debian packages that scripts/package.sh makes of a build: what is in them, and that it runs.

usage: deb_test.py --build FOLDER                  looks into the packages, and runs them unpacked into a folder
       deb_test.py --build FOLDER --install ROOT   installs them by apt in the Debian root at ROOT, and runs them there

Without --install it needs no root.
"""

import glob
import gzip
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
import harness  # noqa: E402
import consumers  # noqa: E402

TEST_SECONDS = 900
# package: (section, patterns of files that must be there, patterns of packages it must depend on)
PACKAGES = {
    "libswarm1": ("libs", [r"usr/lib/\S*libswarm\.so\.1 -> libswarm\.so\.1\."], ["libabsl", "libc6", "libssl3", "libstdc\\+\\+6"]),
    "libswarm-dev": ("libdevel", [r"usr/include/swarmlib/manager\.h$", r"usr/lib/\S*libswarm\.a$",
                                  r"cmake/swarm/swarm-config\.cmake$", r"pkgconfig/swarm\.pc$",
                                  r"usr/share/man/man3/libswarm\.3\.gz$"],
                     ["libabsl-dev", "libre2-dev", "libspdlog-dev", "libssl-dev"]),
    "swarmd": ("admin", [r"usr/bin/swarmd$", r"usr/bin/swarm -> swarmd$", r"etc/default/swarmd$",
                         r"usr/lib/systemd/system/swarmd\.service$", r"usr/share/man/man1/swarmd\.1\.gz$",
                         r"bash-completion/completions/swarmd$"], ["libabsl", "libc6", "libssl3"]),
    "python3-pyswarm": ("python", [r"usr/lib/python3/dist-packages/pyswarm/__init__\.py$",
                                   r"pyswarm/_core\.cpython-\S+\.so$", r"pyswarm/py\.typed$",
                                   r"usr/share/man/man3/pyswarm\.3\.gz$"],
                        [r"python3 \(>= 3\.\d+\)", r"python3 \(<< 3\.\d+\)", "libabsl"]),
}
WITH_C = {"files": [r"include/swarmlib/swarm\.h$", r"libswarm\.so -> libswarm\.so\.1", r"pkgconfig/libswarm\.pc$"],
          "depends": [r"libswarm1 \(= \S+\)"]}


call = consumers.call


def fields(package):
  done = call("dpkg-deb", "-f", package)
  return dict(re.findall(r"^(\S+): (.*(?:\n .*)*)", done.out, re.M))


def check_package(report, package, name, has_c):
  about, contents = fields(package), call("dpkg-deb", "-c", package).out
  section, files, depends = PACKAGES[name]
  if name == "libswarm-dev" and has_c:
    files, depends = files + WITH_C["files"], depends + WITH_C["depends"]
  for wanted in files + [r"usr/share/doc/%s/copyright$" % name, r"doc/%s/changelog\.gz$" % name,
                         r"doc/%s/changelog\.Debian\.gz$" % name]:
    report.matches("%s holds %s" % (name, wanted), contents, r"(?m)^\S+ root/root .*/" + wanted)
  for wanted in depends:
    report.matches("%s depends on %s" % (name, wanted), about.get("Depends", ""), wanted)
  report.equal("%s: section" % name, about["Section"], section)
  report.matches("%s: version" % name, about["Version"], r"^\d+\.\d+\.\d+-\d+$")
  report.check("%s: no line of the description is too long" % name,
               max(len(line) for line in about["Description"].splitlines()) <= 80, about["Description"])
  odd = [line for line in contents.splitlines()
         if not re.match(r"(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root/root ", line)]
  report.equal("%s: owners and modes" % name, odd, [])
  odd = [line for line in contents.splitlines() if re.search(r"_CPack_Packages|__pycache__", line)]
  report.equal("%s: nothing that making it left behind" % name, odd, [])


def control(package, name):
  return call("dpkg-deb", "-I", package, name).out


def check_control(report, packages):
  report.equal("swarmd: settings are a conffile", control(packages["swarmd"], "conffiles").split(),
               ["/etc/default/swarmd"])
  for name in packages:
    report.matches("%s: md5sums" % name, control(packages[name], "md5sums"), r"(?m)^[0-9a-f]{32}  usr/")
  if "libswarm1" in packages:
    report.matches("libswarm1: shlibs", control(packages["libswarm1"], "shlibs"), r"^libswarm 1 libswarm1 \(>= ")
    report.matches("libswarm1: ldconfig runs", control(packages["libswarm1"], "postinst"), "ldconfig")


def check_machine(report, options, root):
  """Nothing tells in which folders it was made: no text, and no program by the files that its checks name."""
  folders = sorted({os.path.realpath(path).encode() + b"/" for path in (ROOT, options.build)})
  telling = []
  for folder, _, names in os.walk(root):
    for path in (os.path.join(folder, name) for name in names):
      if os.path.islink(path):
        continue
      with open(path, "rb") as file:
        content = file.read()
      content = gzip.decompress(content) if path.endswith(".gz") else content
      telling += ["%s: %s" % (os.path.relpath(path, root), content[max(0, at - 20):at + 100])
                  for at in (content.find(word) for word in folders) if at >= 0]
  report.equal("nothing names a folder of the machine it was made on", telling, [])


def unpack(packages, work):
  root = os.path.join(work, "root")
  for package in packages.values():
    done = call("dpkg", "-x", package, root)
    if done.code:
      raise RuntimeError("dpkg -x: %s" % done.err)
  return root


def check_unpacked(report, root):
  prefix = os.path.join(root, "usr")
  library = os.path.dirname(glob.glob(os.path.join(prefix, "lib/**/libswarm.a"), recursive=True)[0])
  swarmd = os.path.join(prefix, "bin/swarmd")
  report.matches("swarmd --version", call(swarmd, "--version").out, r"^swarmd version \d+\.\d+\.\d+\n$")
  with harness.Swarmd(swarmd, discovery="sim://3") as running:
    running.wait_healthy(3)
    report.equal("swarmd manage sim://3", sorted(running.statuses().values()), ["Healthy"] * 3)
  with tempfile.TemporaryDirectory(prefix="swarm-deb-") as work:
    # The C++ consumers are those of install_test.py, from the same files.
    consumers.check_c(report, None, prefix, os.path.relpath(library, prefix), work)
    shared = glob.glob(os.path.join(library, "libswarm.so.1.*"))
    if shared:
      print("libswarm.so, stripped: %d bytes" % os.path.getsize(shared[0]))
      report.check("libswarm.so is stripped", ".debug_info" not in call("readelf", "-SW", shared[0]).out)
  site = os.path.join(prefix, "lib/python3/dist-packages")
  if os.path.isdir(site):
    done = call("/usr/bin/python3", "-B", os.path.join(consumers.EXAMPLES, "embed/embed.py"),
                env={"PYTHONPATH": site})
    report.equal("pyswarm runs from the package", (done.code, done.out), (0, consumers.PLACED))


# ---- a Debian of its own ----

def check_installed(report, root, packages):
  """In a root that apt works in (tests/install/clean_root.sh makes one)."""
  def inside(*words, **more):
    return call("chroot", root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                "DEBIAN_FRONTEND=noninteractive", *words, **more)

  folder = os.path.join(root, "packages")
  os.makedirs(folder)
  for package in packages.values():
    done = call("cp", package, folder)
  done = inside("bash", "-c", "apt-get install -y --no-install-recommends /packages/*.deb gcc libc6-dev")
  if not report.check("apt install ./*.deb", done.code == 0, done):
    return
  report.matches("swarmd --version", inside("swarmd", "--version").out, r"^swarmd version \d+\.\d+\.\d+\n$")
  serve = ("swarmd manage -H unix:///run/swarm.sock sim://3 & pid=$!; for i in $(seq 100); do "
           "count=$(swarmd node -H unix:///run/swarm.sock ls 2>/dev/null | grep -c ' healthy '); "
           "[ $count = 3 ] && break; sleep 0.1; done; kill $pid; wait $pid; echo $count nodes")
  report.matches("swarmd manage sim://3 answers", inside("bash", "-c", serve).out, r"(?m)^3 nodes$")
  programs = {"libswarm1": ("embed.c", "cc /embed.c -o /embed $(pkg-config --cflags --libs libswarm) && /embed"),
              "python3-pyswarm": ("embed.py", "python3 /embed.py")}
  for name, command in (programs[package] for package in packages if package in programs):
    call("cp", os.path.join(consumers.EXAMPLES, "embed", name), root)
    done = inside("bash", "-c", command)
    report.equal("%s on a clean root" % name, (done.code, done.out), (0, consumers.PLACED))
  done = inside("bash", "-c", "apt-get purge -y swarmd libswarm1 && test ! -e /etc/default/swarmd && "
                              "test ! -e /usr/bin/swarmd")
  report.check("apt purge leaves nothing", done.code == 0, done)


def run(options, report):
  for program in ("dpkg-shlibdeps", "file"):
    if shutil.which(program) is None:
      raise harness.Skipped("%s is not installed (scripts/setup.sh build)" % program)
  with tempfile.TemporaryDirectory(prefix="swarm-deb-") as work:
    done = call(os.path.join(ROOT, "scripts/package.sh"), options.build, os.path.join(work, "deb"))
    if not report.check("scripts/package.sh", done.code == 0, done):
      return
    packages = {os.path.basename(path).split("_")[0]: path for path in done.out.split()}
    has_c = any(name.startswith("libswarm1") for name in packages)
    report.check("each package is known", {"libswarm-dev", "swarmd"} <= set(packages) <= set(PACKAGES), packages)
    for name in packages:
      check_package(report, packages[name], name, has_c)
    check_control(report, packages)
    if options.install:
      check_installed(report, options.install, packages)
    else:
      root = unpack(packages, work)
      check_machine(report, options, root)
      check_unpacked(report, root)


def add_options(parser):
  parser.add_argument("--build", required=True, help="the folder of the build to make packages of")
  parser.add_argument("--install", help="the root of a Debian to install the packages in")


if __name__ == "__main__":
  harness.main(run, TEST_SECONDS, add_options)
