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
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure

IDS_IN_LOAD = 200

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


def check(name, port):
    """The proxy hands on the whole answer, twice on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for index in (0, 37):
        connection.request("GET", "/v1.41/containers/%s/json" % measure.container_id(index))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or json.loads(body)["Id"] != measure.container_id(0):
            raise SystemExit("%s answered %d and %d bytes" % (name, answer.status, len(body)))
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    measure.add_options(parser)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", help="comma-separated names")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("needs wrk")
    measure.begin(options)
    wanted = options.only.split(",") if options.only else None
    running = measure.Running()
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = folder + "/load.lua"
            pathlib.Path(script).write_text(measure.wrk_script(
                "/v1.41/containers/%s/json" % measure.container_id(i * 37) for i in range(IDS_IN_LOAD)))
            origin = [measure.program(options.build, "origin")]
            _, upstream = measure.start_ours(running, origin, measure.LOAD_CORE)
            targets = {}
            for name in ("haproxy", "nginx"):
                if wanted is None or name in wanted:
                    peer = measure.start_peer(running, name, folder, upstream)
                    if peer:
                        targets[name] = peer
            for name, (program, *arguments) in OURS.items():
                if wanted is None or name in wanted:
                    command = [measure.program(options.build, program), str(upstream)] + arguments
                    targets[name] = measure.start_ours(running, command, measure.MEASURED_CORE)
            for name, (_, port) in targets.items():
                check(name, port)
            samples = measure.measure(targets, script, options.rounds, options.seconds, options.connections)
    finally:
        running.stop()
    rows = measure.summarize(samples, BASES)
    measure.print_rows(rows, BASES)
    measure.write_json(options.json, {"rows": rows, "samples": samples})
    return 1 if any(row["failed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
