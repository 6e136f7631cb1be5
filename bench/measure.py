"""What the benches of this folder share: starting programs pinned to a core, load by wrk, processor
time out of /proc, and ratios taken within a round.

On a shared machine the rates move with the neighbours. What counts is the processor time that one
request costs (utime + stime), and of that the ratio to a peer that was measured in the same round.
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

START_TIMEOUT = 60.0  # seconds
MEASURED_CORE, LOAD_CORE = 0, 1

HAPROXY = """
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server engine 127.0.0.1:{upstream} pool-max-conn 256
"""

NGINX = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; tcp_nodelay on;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream engine {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def add_options(parser):
    """The options that every bench has."""
    parser.add_argument("--build", required=True, help="folder of the built programs")
    parser.add_argument("--json", help="write all samples there")
    parser.add_argument("--nice", type=int, default=0, help="priority of the whole run; below 0 needs root")


def begin(options):
    """Refuses a machine that cannot keep load and measured program apart; sets the priority."""
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("needs two cores")
    if options.nice:
        os.nice(options.nice)  # inherited by all that is measured


def container_id(index):
    """The same ids as ContainerId in proxy_core/routing.h."""
    mask = (1 << 64) - 1
    words = []
    for word in range(index * 4, index * 4 + 4):
        mixed = (word + 1) * 0x9E3779B97F4A7C15 & mask
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & mask
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
        words.append("%016x" % (mixed ^ mixed >> 31))
    return "".join(words)


def wrk_script(paths):
    return (
        "local paths = {%s}\nlocal requests, n = {}, 0\n"
        "function init(args)\n"
        "  wrk.headers['User-Agent'] = 'Docker-Client/20.10.24+dfsg1 (linux)'\n"
        "  wrk.headers['Accept-Encoding'] = 'gzip'\n"
        "  for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end\nend\n"
        "function request() n = n %% #requests + 1 return requests[n] end\n"
        % ",".join('"%s"' % path for path in paths)
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(build, name):
    """The built program of that name, wherever it lies in the folder."""
    found = [path for path in pathlib.Path(build).rglob(name) if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise SystemExit("%s has no program %s" % (build, name))
    return str(found[0])


def until(ready, process, name):
    """The first true value of ready() while the process lives."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        value = ready()
        if value:
            return value
        time.sleep(0.05)
    raise SystemExit("%s did not start" % name)


class Running:
    """Processes that this run started; ended by pid, whatever happens."""

    def __init__(self):
        self.started = []

    def start(self, command, core, **options):
        process = subprocess.Popen(["taskset", "-c", str(core)] + command, **options)
        self.started.append(process)
        return process

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=5)


def start_ours(running, command, core):
    """A program of the benches, which prints its port; (pid, port)."""
    process = running.start(command, core, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().split()
    if len(line) != 2 or line[0] != "port":
        raise SystemExit("%s did not start: %r" % (command[0], line))
    return process.pid, int(line[1])


def start_peer(running, name, folder, upstream):
    """haproxy or nginx with one thread; (pid, port), or None if it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        return None
    port = free_port()
    config = pathlib.Path(folder) / (name + ".conf")
    template = HAPROXY if name == "haproxy" else NGINX
    config.write_text(template.format(port=port, upstream=upstream, dir=folder))
    command = [path, "-db", "-f", str(config)]
    if name == "nginx":
        command = [path, "-e", folder + "/error.log", "-c", str(config)]
    process = running.start(command, MEASURED_CORE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def accepts():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(accepts, process, name)
    return process.pid, port


def get(port, target):
    """One GET: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def start_swarmd(running, build, engines, containers, arguments=(), files=None):
    """swarmd with one event loop before these engines, once it shows all containers; (pid, port).

    `files`: descriptors that it may open; None = as many as this program."""
    port = free_port()
    limit = ["prlimit", "--nofile=%d:%d" % (files, files)] if files else []
    command = limit + [program(build, "swarmd"), "manage", "--threads", "1", "--log-level", "error", *arguments,
               "-H", "tcp://127.0.0.1:%d" % port, "nodes://" + engines]
    process = running.start(command, MEASURED_CORE)

    def shows_all():
        try:
            status, body = get(port, "/info")
        except OSError:
            return False
        return status == 200 and json.loads(body)["Containers"] == containers

    until(shows_all, process, "swarmd")
    return process.pid, port


def cpu_seconds(pid):
    """Seconds in user and in system mode; in steps of 10 ms."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]


def cpu_nanoseconds(pid):
    """Nanoseconds on a processor of all threads; exact while they sleep."""
    total = 0
    for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def to_us(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


def load(port, script, seconds, connections):
    """One run of wrk: requests, requests a second, p50 and p99 in us, failed requests."""
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds,
               "--latency", "-s", script, "http://127.0.0.1:%d/" % port]
    text = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
    for counts in re.findall(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
        failed += sum(map(int, counts))
    return {
        "requests": int(re.search(r"(\d+) requests in", text).group(1)),
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "p50_us": to_us(re.search(r"\n +50% +(\S+)", text).group(1)),
        "p99_us": to_us(re.search(r"\n +99% +(\S+)", text).group(1)),
        "failed": failed,
    }


def measure(targets, script, rounds, seconds, connections):
    """Samples by name. `targets`: name -> (pid, port); every other round goes backwards."""
    samples = {name: [] for name in targets}
    for number in range(rounds):
        names = list(targets)
        for name in names if number % 2 == 0 else reversed(names):
            pid, port = targets[name]
            before = cpu_seconds(pid)
            sample = load(port, script, seconds, connections)
            user, system = (now - then for now, then in zip(cpu_seconds(pid), before))
            sample["user_us"] = user * 1e6 / max(1, sample["requests"])
            sample["cpu_us"] = (user + system) * 1e6 / max(1, sample["requests"])
            samples[name].append(sample)
            print("  round %d  %-42s %6.2f us/request  %7.0f/s" %
                  (number + 1, name, sample["cpu_us"], sample["rate"]), file=sys.stderr)
    return samples


def summarize(samples, bases):
    """A row for each name: medians, and ratios to the `bases` (column -> name)."""
    rows = []
    for name, runs in samples.items():
        row = {key: statistics.median(run[key] for run in runs)
               for key in ("cpu_us", "user_us", "rate", "p50_us", "p99_us")}
        row["name"] = name
        row["cpu_us_least"] = min(run["cpu_us"] for run in runs)
        row["failed"] = sum(run["failed"] for run in runs)
        for column, base in bases.items():
            # Within a round all met the same neighbours, so ratios are taken there.
            row[column] = statistics.median(
                run["cpu_us"] / other["cpu_us"] for run, other in zip(runs, samples[base])
            ) if base in samples else float("nan")
        rows.append(row)
    return sorted(rows, key=lambda row: row["cpu_us"])


def print_rows(rows, bases):
    print("%-42s %10s %7s %7s %10s %8s %8s %8s %8s %7s" %
          ("proxy", "us/request", "least", "in user", *bases, "req/s", "p50 us", "p99 us", "failed"))
    for row in rows:
        print("%-42s %10.2f %7.2f %7.2f %10.2f %8.2f %8.0f %8.0f %8.0f %7d" %
              (row["name"], row["cpu_us"], row["cpu_us_least"], row["user_us"],
               *(row[column] for column in bases), row["rate"], row["p50_us"], row["p99_us"], row["failed"]))


def write_json(path, content):
    if path:
        pathlib.Path(path).write_text(json.dumps(content, indent=1))
