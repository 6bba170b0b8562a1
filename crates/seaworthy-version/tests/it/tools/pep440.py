"""Answers tab-separated pairs with packaging.version.Version."""
import sys

from packaging.version import InvalidVersion, Version

answers = []
for line in sys.stdin.buffer.read().decode().split("\n")[:-1]:
    try:
        a, b = (Version(text) for text in line.split("\t"))
    except InvalidVersion:
        answers.append("E")
        continue
    answers.append("-1" if a < b else "1" if a > b else "0")
print("\n".join(answers))
