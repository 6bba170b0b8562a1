"""Answers tab-separated pairs with libalpm's comparison."""
import ctypes
import ctypes.util
import sys

library = ctypes.CDLL(ctypes.util.find_library("alpm"))
compare = library.alpm_pkg_vercmp
compare.argtypes = [ctypes.c_char_p, ctypes.c_char_p]

answers = []
for line in sys.stdin.buffer.read().split(b"\n")[:-1]:
    a, b = line.split(b"\t")
    # libalpm compares whatever it gets; a package without a version has none for us.
    if not a or not b:
        answers.append("E")
        continue
    order = compare(a, b)
    answers.append(str((order > 0) - (order < 0)))
print("\n".join(answers))
