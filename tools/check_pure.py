#!/usr/bin/env python3
"""The pure rooms call no clock, entropy, environment, socket, file or thread function.

usage: check_pure.py BUILD_DIR. Reads the undefined symbols (nm -u) of the objects of base (less clock.cc, log.cc,
and check.cc), model, sched, core and wire; exit 1 if one is forbidden.
"""
import pathlib
import re
import subprocess
import sys

ROOMS = ("base", "model", "sched", "core", "wire")
EXCEPT = {"clock.cc.o", "log.cc.o", "check.cc.o"}
FORBIDDEN = re.compile(
    r"^(clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|getrandom|random|rand|srand|getenv|secure_getenv|"
    r"setenv|socket|connect|bind|listen|accept4?|send|recv|sendmsg|recvmsg|open|open64|openat|fopen|fopen64|read|"
    r"write|epoll_\w+|poll|select|pthread_create|fork|execv\w*|system|"
    r"_ZNSt6chrono3_V21[23]\w+clock3nowEv|_ZNSt6thread\w*|_ZNSt13random_device\w*|_ZNSt14basic_ifstream\w*|"
    r"_ZNSt14basic_ofstream\w*)(@|$)")


def main():
    build = pathlib.Path(sys.argv[1])
    faults, objects = [], 0
    for room in ROOMS:
        for path in sorted(build.rglob(f"swarm_{room}.dir/**/*.o")):
            if path.name in EXCEPT:
                continue
            objects += 1
            listing = subprocess.run(["nm", "-u", path], capture_output=True, text=True, check=True).stdout
            for line in listing.splitlines():
                symbol = line.split()[-1]
                if FORBIDDEN.match(symbol):
                    faults.append(f"{room}/{path.name}: {symbol}")
    print("\n".join(faults) or f"{objects} objects are pure")
    return 1 if faults or not objects else 0


sys.exit(main())
