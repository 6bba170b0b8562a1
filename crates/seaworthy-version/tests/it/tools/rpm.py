"""Answers tab-separated pairs with rpm's label comparison.

A release that one of the two lacks does not count, as in rpm's own dependencies.
"""
import sys

import rpm


def label(text):
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "", text
    version, hyphen, release = rest.rpartition("-")
    if not hyphen:
        version, release = rest, None
    return epoch or "0", version, release


answers = []
for line in sys.stdin.buffer.read().decode().split("\n")[:-1]:
    a, b = (label(text) for text in line.split("\t"))
    if not a[1] or not b[1]:
        answers.append("E")
        continue
    if a[2] is None or b[2] is None:
        a, b = (a[0], a[1], None), (b[0], b[1], None)
    answers.append(str(rpm.labelCompare(a, b)))
print("\n".join(answers))
