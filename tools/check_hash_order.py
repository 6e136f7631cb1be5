#!/usr/bin/env python3
"""Nothing in the pure rooms may depend on the order of a hash map.

Finds range-for loops over variables declared as unordered_map, unordered_set, StringMap, StringSet or an Abseil hash
table in model, sched, core and wire. A loop whose result does not depend on the order says so with the comment
`order-free: why` on the line of the loop or the one before.
usage: check_hash_order.py ROOT; exit 1 if a loop is found.
"""
import pathlib
import re
import sys

HASHED = re.compile(
    r"\b(?:std::unordered_(?:map|set)|StringMap|StringSet|absl::(?:flat|node)_hash_(?:map|set))\b[^;(){}]*?[>&\s]"
    r"(\w+)\s*(?:;|=|\{|,|\))")
LOOP = re.compile(r"for\s*\([^;()]*:\s*\*?(?:this->)?(?:\w+(?:\.|->))*(\w+)\s*\)")


def main():
    root = pathlib.Path(sys.argv[1])
    faults, files = [], 0
    for room in ("model", "sched", "core", "wire"):
        paths = sorted((root / "src" / room).rglob("*.[ch]*"))
        for path in paths:
            files += 1
            # A name counts in its file and in the source beside its header; members of other files end in "_".
            names = set()
            for other in paths:
                found = re.findall(HASHED, other.read_text())
                own = other.stem == path.stem
                names.update(name for name in found if own or name.endswith("_"))
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                for name in LOOP.findall(line):
                    said = "order-free" in line or (number and "order-free" in lines[number - 1])
                    if name in names and not said:
                        faults.append(f"{path}:{number + 1}: a loop in hash order over {name}")
    print("\n".join(faults) or f"{files} files, no loop in hash order")
    return 1 if faults or not files else 0


sys.exit(main())
