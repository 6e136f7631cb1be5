#!/usr/bin/env python3
"""Measures the proxy loops of this folder beside haproxy, nginx and a relay that parses nothing.

Keep-alive GETs of one inspect answer by wrk over loopback; each proxy alone on core 0, wrk and the
engine on core 1, rounds interleaved. What counts is the processor time a request costs the proxy
(utime + stime): on a shared machine the rates move with the neighbours, the ratios much less. The
least of all rounds is the cost with the fewest disturbances.

    run.py --build DIR [--rounds 5] [--seconds 3] [--connections 64] [--json FILE]
           [--only NAME,NAME] [--nice N]

DIR holds the built programs. Exit code 1 if a proxy failed a request.
"""

import argparse
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
import tempfile
import time

IDS_IN_LOAD = 200
START_TIMEOUT = 10.0
PROXY_CORE, LOAD_CORE = 0, 1

OURS = {
    "beast + awaitable": ["proxy_beast"],
    "own parser + awaitable": ["proxy_await"],
    "own parser + awaitable on own epoll": ["proxy_await_epoll"],
    "own parser + Asio callbacks, read first": ["proxy_asio"],
    "own parser + Asio callbacks, wait first": ["proxy_asio", "--wait"],
    "own parser + own epoll": ["proxy_epoll"],
    "own parser + own epoll inside Asio": ["proxy_epoll", "--embedded"],
    "relay without parsing": ["relay_epoll"],
    "the library's server and relay": ["proxy_relay"],
}
BASES = {"x haproxy": "haproxy", "x relay": "relay without parsing"}

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


def container_id(index):
    """The same ids as ContainerId in routing.h."""
    mask = (1 << 64) - 1
    words = []
    for word in range(index * 4, index * 4 + 4):
        mixed = (word + 1) * 0x9E3779B97F4A7C15 & mask
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & mask
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
        words.append("%016x" % (mixed ^ mixed >> 31))
    return "".join(words)


def wrk_script():
    paths = ",".join('"/v1.41/containers/%s/json"' % container_id(i * 37) for i in range(IDS_IN_LOAD))
    return (
        "local paths = {%s}\nlocal requests, n = {}, 0\n"
        "function init(args)\n"
        "  wrk.headers['User-Agent'] = 'Docker-Client/20.10.24+dfsg1 (linux)'\n"
        "  wrk.headers['Accept-Encoding'] = 'gzip'\n"
        "  for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end\nend\n"
        "function request() n = n %% #requests + 1 return requests[n] end\n" % paths
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
    process = running.start(command, core, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().split()
    if len(line) != 2 or line[0] != "port":
        raise SystemExit("%s did not start: %r" % (command[0], line))
    return process.pid, int(line[1])


def start_peer(running, name, folder, upstream):
    """haproxy or nginx with one thread; (pid, port), or None if it is not installed."""
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not program:
        return None
    port = free_port()
    config = pathlib.Path(folder) / (name + ".conf")
    template = HAPROXY if name == "haproxy" else NGINX
    config.write_text(template.format(port=port, upstream=upstream, dir=folder))
    command = [program, "-db", "-f", str(config)]
    if name == "nginx":
        command = [program, "-e", folder + "/error.log", "-c", str(config)]
    process = running.start(command, PROXY_CORE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process.pid, port
        time.sleep(0.05)
    raise SystemExit("%s did not start" % name)


def check(name, port):
    """The proxy hands on the whole answer, twice on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for index in (0, 37):
        connection.request("GET", "/v1.41/containers/%s/json" % container_id(index))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or json.loads(body)["Id"] != container_id(0):
            raise SystemExit("%s answered %d and %d bytes" % (name, answer.status, len(body)))
    connection.close()


def cpu_seconds(pid):
    """Seconds in user and in system mode."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]


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


def summarize(samples):
    rows = []
    for name, runs in samples.items():
        row = {key: statistics.median(run[key] for run in runs) 
               for key in ("cpu_us", "user_us", "rate", "p50_us", "p99_us")}
        row["name"] = name
        row["cpu_us_least"] = min(run["cpu_us"] for run in runs)
        row["failed"] = sum(run["failed"] for run in runs)
        for column, base in BASES.items():
            # Within a round all met the same neighbours, so ratios are taken there.
            row[column] = statistics.median(
                run["cpu_us"] / other["cpu_us"] for run, other in zip(runs, samples[base])
            ) if base in samples else float("nan")
        rows.append(row)
    return sorted(rows, key=lambda row: row["cpu_us"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="folder of the built programs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", help="write all samples there")
    parser.add_argument("--nice", type=int, default=0, help="priority of the whole run; below 0 needs root")
    parser.add_argument("--only", help="comma-separated names")
    options = parser.parse_args()
    if (os.cpu_count() or 1) < 2 or not shutil.which("wrk"):
        raise SystemExit("needs two cores and wrk")
    wanted = options.only.split(",") if options.only else None
    build = pathlib.Path(options.build)
    if options.nice:
        os.nice(options.nice)  # inherited by all that is measured
    running = Running()
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = folder + "/load.lua"
            pathlib.Path(script).write_text(wrk_script())
            _, upstream = start_ours(running, [str(build / "origin")], LOAD_CORE)
            targets = {}
            for name in ("haproxy", "nginx"):
                if wanted is None or name in wanted:
                    peer = start_peer(running, name, folder, upstream)
                    if peer:
                        targets[name] = peer
            for name, (program, *arguments) in OURS.items():
                if wanted is None or name in wanted:
                    command = [str(build / program), str(upstream)] + arguments
                    targets[name] = start_ours(running, command, PROXY_CORE)
            for name, (_, port) in targets.items():
                check(name, port)
            samples = measure(targets, script, options.rounds, options.seconds, options.connections)
    finally:
        running.stop()
    rows = summarize(samples)
    print("%-42s %10s %7s %7s %10s %8s %8s %8s %8s %7s" %
          ("proxy", "us/request", "least", "in user", *BASES, "req/s", "p50 us", "p99 us", "failed"))
    for row in rows:
        print("%-42s %10.2f %7.2f %7.2f %10.2f %8.2f %8.0f %8.0f %8.0f %7d" %
              (row["name"], row["cpu_us"], row["cpu_us_least"], row["user_us"],
               *(row[column] for column in BASES), row["rate"], row["p50_us"], row["p99_us"], row["failed"]))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows, "samples": samples}, indent=1))
    return 1 if any(row["failed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
