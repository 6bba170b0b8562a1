"""Answers tab-separated pairs with rpm's parse of a version and its label comparison."""
import sys

import rpm

answers = []
for line in sys.stdin.buffer.read().decode().split("\n")[:-1]:
    texts = line.split("\t")
    try:
        a, b = (rpm.ver(text) for text in texts)
        answers.append(str(rpm.labelCompare((a.e, a.v, a.r), (b.e, b.v, b.r))))
    except ValueError:
        answers.append("E")
print("\n".join(answers))
