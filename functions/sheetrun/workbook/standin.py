"""A stand-in for ``formula.r1c1`` until that lands."""

from __future__ import annotations

import re

_T = re.compile(
    r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\[(?:[^\[\]]|\[[^\[\]]*\])*\]|(?<![\w.\\?$])(\$?)([A-Za-z]{1,3})(\$?)([1-9]\d{0,6})(?![\w.(!\[])|(?<![\w.$:!'])(\$?)([A-Za-z]{1,3}):(\$?)([A-Za-z]{1,3})(?![\w.(!\[:])|(?<![\w.$:])(\$?)(\d+):(\$?)(\d+)(?![\w.])"""
)


def ci(s):
    n = 0
    for c in s.upper():
        n = n * 26 + ord(c) - 64
    return n


def cl(n):
    s = ""
    while n:
        n, r = divmod(n - 1, 26)
        s = chr(65 + r) + s
    return s


def relative_key(text, row, col):
    def f(m):
        if m[4]:
            r = int(m[4])
            c = ci(m[2])
            return "\x01" + (f"R{r}" if m[3] else f"R[{r - row}]") + (f"C{c}" if m[1] else f"C[{c - col}]")
        if m[6]:
            return (
                "\x01"
                + (f"C{ci(m[6])}" if m[5] else f"C[{ci(m[6]) - col}]")
                + ":"
                + (f"C{ci(m[8])}" if m[7] else f"C[{ci(m[8]) - col}]")
            )
        if m[10]:
            return (
                "\x01"
                + (f"R{m[10]}" if m[9] else f"R[{int(m[10]) - row}]")
                + ":"
                + (f"R{m[12]}" if m[11] else f"R[{int(m[12]) - row}]")
            )
        return m[0]

    return _T.sub(f, text)


def shift(text, dr, dc):
    def f(m):
        if m[4]:
            return m[1] + (m[2] if m[1] else cl(ci(m[2]) + dc)) + m[3] + (m[4] if m[3] else str(int(m[4]) + dr))
        if m[6]:
            return m[5] + (m[6] if m[5] else cl(ci(m[6]) + dc)) + ":" + m[7] + (m[8] if m[7] else cl(ci(m[8]) + dc))
        if m[10]:
            return (
                m[9]
                + (m[10] if m[9] else str(int(m[10]) + dr))
                + ":"
                + m[11]
                + (m[12] if m[11] else str(int(m[12]) + dr))
            )
        return m[0]

    return _T.sub(f, text)
