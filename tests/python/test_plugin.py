"""The pytest plugin, as somebody else's tests use it."""

import os
import re
import subprocess
import sys

SAMPLE = '''
import urllib.request

NAMES = [["/sim-0001/web", "/web"]]

def test_manager(swarm_manager):
  swarm_manager.create_container({"Image": "busybox"}, name="web")
  assert [sorted(one["Names"]) for one in swarm_manager.containers()] == NAMES
  assert len(swarm_manager.nodes()) == 3

def test_each_test_has_a_cluster_of_its_own(swarm_manager):
  assert swarm_manager.containers() == []

def test_address(swarm_manager, swarm_address):
  assert swarm_address.startswith("tcp://127.0.0.1:")
  with urllib.request.urlopen(swarm_address.replace("tcp", "http") + "/_ping", timeout=10) as answer:
    assert answer.read() == b"OK"

def test_factory(swarm_factory):
  one = swarm_factory(5, strategy="binpack", seed=3)
  two = swarm_factory(latency="1ms")
  assert (len(one.nodes()), len(two.nodes())) == (5, 3)
  assert [node.labels["zone"] for node in two.nodes()] == ["external", "internal", "external"]
  three = swarm_factory(3, labels=[{"zone": "east & far", "disk": "ssd"}, {"zone": "west"}])
  assert [node.labels["zone"] for node in three.nodes()] == ["east & far", "west", "east & far"]
  assert three.nodes()[2].labels["disk"] == "ssd" and "disk" not in three.nodes()[1].labels
'''


def test_it_is_found_and_works(tmp_path):
  (tmp_path / "test_sample.py").write_text(SAMPLE)
  done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0", "-vv"],
                        cwd=tmp_path, capture_output=True, text=True, timeout=60, env=dict(os.environ))
  assert done.returncode == 0, done.stdout + done.stderr
  assert "4 passed" in done.stdout
  # A fixture takes milliseconds; the bound is for machines that do other things.
  times = [float(found) for found in re.findall(r"([\d.]+)s setup", done.stdout)]
  assert len(times) < 4 or min(times) < 1


def test_fixtures_are_listed_with_their_docs(tmp_path):
  done = subprocess.run([sys.executable, "-B", "-m", "pytest", "--fixtures", "-p", "no:cacheprovider"], cwd=tmp_path,
                        capture_output=True, text=True, timeout=60, env=dict(os.environ))
  for name in ("swarm_manager", "swarm_address", "swarm_factory"):
    assert name in done.stdout
  assert "simulated engines" in done.stdout
