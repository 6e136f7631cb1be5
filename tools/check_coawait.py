#!/usr/bin/env python3
"""The named-operands rule around co_await (g++ 12 miscompiles otherwise).

From co_await to the end of its statement only names, std::move(name), literals and plain calls may stand: no
lambda, no braced temporary, no ?: operator. No lambda is a coroutine.
usage: check_coawait.py ROOT. Prints each offending statement; exit 1 if there is one.
"""
import pathlib
import re
import sys

LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(\([^()]*\))?\s*(mutable\s*)?(->\s*[\w:<>]+\s*)?\{")
BRACED = re.compile(r"[\w>]\s*\{")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
STRING = re.compile(r'"(\\.|[^"\\])*"')


def statement(text, start):
    """The text from `start` to the `;` that ends it, or to the `)` that closes the condition it stands in."""
    depth = 0
    for at in range(start, len(text)):
        letter = text[at]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                return text[start:at]
        elif letter == ";" and depth == 0:
            return text[start:at]
    return text[start:]


def faults_in(path):
    text = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), path.read_text())
    text = STRING.sub('""', text)
    for found in re.finditer(r"\bco_await\b", text):
        line = text.count("\n", 0, found.start()) + 1
        begin = max(text.rfind(mark, 0, found.start()) for mark in ";{}") + 1
        before = text[begin:found.start()]
        after = statement(text, found.end())
        if LAMBDA.search(after) or LAMBDA.search(before):
            yield line, "a lambda", after
        elif BRACED.search(after):
            yield line, "a braced temporary", after
        elif re.search(r"\?", after):
            yield line, "the operator ?:", after
    for found in re.finditer(r"\]\s*(\([^()]*\))?\s*(mutable\s*)?->\s*(swarm::)?(Task|boost::asio::awaitable)\s*<", text):
        yield text.count("\n", 0, found.start()) + 1, "a lambda that is a coroutine", found.group()


def main():
    root = pathlib.Path(sys.argv[1])
    count = files = 0
    for folder in ("src", "examples", "tests", "bench"):
        for path in sorted((root / folder).rglob("*.[ch]*")):
            if path.suffix not in (".cc", ".h") or "tests/tools/" in str(path.relative_to(root)):
                continue
            files += 1
            for line, what, text in faults_in(path):
                count += 1
                print(f"{path}:{line}: {what} around co_await: {' '.join(text.split())[:100]}")
    print(f"{files} files read, {count} faults")
    return 1 if count or not files else 0


sys.exit(main())
