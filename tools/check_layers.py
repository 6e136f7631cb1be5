#!/usr/bin/env python3
"""Holds every #include to tools/layers.toml and to the promise of the public headers.

usage: check_layers.py ROOT. Prints each include that breaks a rule; exit 1 if there is one.
"""
import pathlib
import re
import sys
import tomllib

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
PUBLIC_ALLOWED = ("swarmlib/", "absl/")


def rooms_of(root):
    with open(root / "tools" / "layers.toml", "rb") as table:
        return tomllib.load(table)


def allowed(room, rules, rooms, name):
    top = name.split("/")[0]
    if top in rooms:
        return top == room or top in rules["uses"]
    if top == "boost":
        return any(name.startswith(prefix) for prefix in rules.get("boost", []))
    if top == "openssl":
        return rules.get("openssl", False)
    if top == "re2":
        return room == "model"
    if top == "spdlog":
        return room == "base"
    return True


def main():
    root = pathlib.Path(sys.argv[1])
    rooms = rooms_of(root)
    faults = []
    seen = 0
    for path in sorted((root / "src").rglob("*.[ch]*")):
        room = path.relative_to(root / "src").parts[0]
        if room not in rooms:
            faults.append(f"{path}: room {room} is not in tools/layers.toml")
            continue
        for name in INCLUDE.findall(path.read_text()):
            seen += 1
            if not allowed(room, rooms[room], rooms, name):
                faults.append(f"{path}: {room} may not include {name}")
    for path in sorted((root / "include").rglob("*.h")):
        for name in INCLUDE.findall(path.read_text()):
            seen += 1
            if "/" in name and not name.startswith(PUBLIC_ALLOWED):
                faults.append(f"{path}: a public header may not include {name}")
    for folder in ("examples", "bindings"):
        for path in sorted((root / folder).rglob("*.[ch]*")):
            beside = "/".join(path.relative_to(root).parts[:2]) + "/"
            for name in INCLUDE.findall(path.read_text()):
                seen += 1
                top = name.split("/")[0]
                if top in rooms or (top in ("examples", "bindings") and not name.startswith(beside)):
                    faults.append(f"{path}: {folder} use public headers and their own only, not {name}")
    print("\n".join(faults) or f"{seen} includes keep the layers")
    return 1 if faults or not seen else 0


sys.exit(main())
