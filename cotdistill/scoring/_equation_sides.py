"""Finds the two sides of an equation among a line's tokens; None wherever it is not sure what was meant."""

from collections.abc import Sequence
from typing import NamedTuple

from cotdistill.scoring._equation_tokens import Token

MOST_UNITS = 4
"""Words between a number and the operator after it: `8 hours a day × 5`."""
MOST_TOKENS = 80
"""Longer sums are listings; this also bounds the time that one equation takes."""
MOST_BRACKETS = 8

_BLOCKERS = (
    "of times plus minus by than off from over under per half twice double triple thrice quarter quarters third "
    "thirds fourth fourths fifth fifths sixth eighth tenth one two three four five six seven eight nine ten eleven "
    "twelve twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen "
    "negative root sqrt square cube log ln mod modulo remainder average mean median max min percent"
)
BLOCKERS = frozenset(_BLOCKERS.split())
"""Words before a term that may change what it means: `half of 16 + 2`, `three 5 + 2`, `the average 4 + 6`."""
_SCALES = "hundred thousand million billion trillion k dozen dozens percent half remainder score"
SCALES = frozenset(_SCALES.split())
"""Words after a number that change its value."""
SUMS = frozenset(("total", "sum", "cost", "price", "profit", "amount", "combination"))
"""`a total of 5 + 3` is 5 + 3."""
REMAINDERS = frozenset(("remainder", "remainders", "remaining", "leftover", "R", "r"))
MATH_SIGNS = frozenset("√∛∑∏∫π^_\\!°%&~#'′″@")


class Side(NamedTuple):
    """A side of an equation."""

    items: tuple[Token, ...]
    """Numbers, operators and brackets, units left out; the operator `neg` is a sign."""
    units: frozenset[str]
    """Words that stand directly behind its numbers, and currencies."""

    @property
    def has_operator(self) -> bool:
        """Whether there is anything to compute."""
        return any(item.kind == "operator" and item.text != "neg" for item in self.items)

    @property
    def is_sum(self) -> bool:
        """Whether terms are added or taken away."""
        return any(item.text in ("+", "-") for item in self.items if item.kind == "operator")


_NEGATIVE = Token("operator", "neg")
_TIMES = Token("operator", "*")
_PLUS = Token("operator", "+")
_OPEN, _CLOSE = Token("open", "("), Token("close", ")")


def left_side(tokens: Sequence[Token]) -> Side | None:
    """Return the expression that ends where these tokens end."""
    tokens = tokens[-MOST_TOKENS:]
    start = _start(tokens)
    if start is None:
        return None
    side, end = read_side(tokens[start:])
    return side if end == len(tokens) - start else None


def right_side(tokens: Sequence[Token]) -> Side | None:
    """Return the expression that these tokens begin with; None where what follows may belong to it."""
    tokens = tokens[: MOST_TOKENS + 1]
    side, end = read_side(tokens)
    if side is None or end > MOST_TOKENS:
        return None
    after = tokens[end] if end < len(tokens) else None
    if after is None:
        return side
    if after.kind in ("variable", "number") or after.text in MATH_SIGNS or after.text == "?":
        return None
    if after.kind == "operator" and not (after.text == "-" and not after.is_glued and _is_word(tokens, end + 1)):
        return None
    return None if _goes_on(tokens[end : end + 10]) else side


def _goes_on(following: Sequence[Token]) -> bool:
    """Return whether more of the value follows: `3 and 1/3`, `8 hours 45`, `7:30`, `3, remainder 2`, `16, 2 left`."""
    words = 0
    while words < min(3, len(following)) and following[words].kind == "word":
        words += 1
    if words < len(following) and (following[words].kind == "number" or following[words].kind == "open"):
        return following[words].kind == "number" or following[words - 1].text == "and"
    if len(following) > 1 and following[0].text == ":" and following[1].kind == "number" and following[1].is_glued:
        return True
    return any(
        token.text in REMAINDERS or (token.text == "left" and before.kind == "number")
        for before, token in zip((Token("break", ""), *following), following, strict=False)
    )


def read_side(tokens: Sequence[Token]) -> tuple[Side | None, int]:
    """Return the longest expression at the beginning and how many tokens it takes, units included."""
    items: list[Token] = []
    units: set[str] = set()
    depth, i, is_operand = 0, 0, False
    while i < len(tokens):
        token = tokens[i]
        if not is_operand:
            if token.kind == "number":
                i = _number(tokens, i, items)
                if token.currency:
                    units.add(token.currency)
                is_operand = True
                continue
            if token.kind == "open" and depth < MOST_BRACKETS:
                depth += 1
                items.append(_OPEN)
            elif token.text == "-" and _opens(tokens, i + 1):
                items.append(_NEGATIVE)
            elif token.text != "+" or not _opens(tokens, i + 1):
                return None, i
            i += 1
            continue
        step = _after_operand(tokens, i, items, units, depth)
        if step is None:
            break
        i, is_operand, depth = step
    if depth or not is_operand:
        return None, i
    return Side(tuple(items), frozenset(units)), i


def _after_operand(
    tokens: Sequence[Token], i: int, items: list[Token], units: set[str], depth: int
) -> tuple[int, bool, int] | None:
    """Take what may follow an operand; return the next place, whether an operand is complete, and the depth."""
    token = tokens[i]
    if token.kind == "close" and depth:
        items.append(_CLOSE)
        return i + 1, True, depth - 1
    if token.text in ("²", "³"):
        items.extend((Token("operator", "^"), Token("number", "2" if token.text == "²" else "3")))
        return i + 1, True, depth
    if token.kind == "operator" and _opens(tokens, i + 1):
        items.append(token)
        return i + 1, False, depth
    if token.kind == "open" and token.is_glued and _opens(tokens, i + 1):
        items.append(_TIMES)
        return i, False, depth
    if token.text == "of" and _is_part(items) and _opens(tokens, i + 1):
        items.append(_TIMES)
        return i + 1, False, depth
    if token.kind == "word" and token.text.lower() not in BLOCKERS | SCALES:
        end = _words_end(tokens, i)
        follows = tokens[end] if end < len(tokens) else None
        if items[-1].kind == "number":
            units.add(token.text.lower())
        # Words behind the last number are no part of the expression unless it goes on or the side ends there.
        if follows is None or follows.kind == "close" or (follows.kind == "operator" and _opens(tokens, end + 1)):
            return end, True, depth
    return None


def _number(tokens: Sequence[Token], i: int, items: list[Token]) -> int:
    """Take a number, `2 1/2` as (2 + 1/2); return the next place."""
    whole = tokens[i]
    if _is_mixed(tokens, i):
        items.extend((_OPEN, whole, _PLUS, *tokens[i + 1 : i + 4], _CLOSE))
        return i + 4
    items.append(whole)
    return i + 1


def _is_mixed(tokens: Sequence[Token], i: int) -> bool:
    if i + 3 >= len(tokens) or tokens[i + 2].text != "/" or not tokens[i + 2].is_glued:
        return False
    numbers = [tokens[i + k] for k in (0, 1, 3)]
    return all(n.kind == "number" and n.text.isdecimal() and len(n.text) < 7 for n in numbers) and int(
        tokens[i + 1].text
    ) < int(tokens[i + 3].text)


def _start(tokens: Sequence[Token]) -> int | None:
    """Return where the expression begins that ends the tokens; None where its beginning is not sure."""
    i = _words_start(tokens, len(tokens))
    if i is None or any(token.text in BLOCKERS for token in tokens[i:]):
        return None
    while True:
        place = _operand_start(tokens, i)
        if place is None:
            return None
        i = place
        before = tokens[i - 1] if i else None
        if before is None or before.kind == "close":
            return i
        if before.kind in ("open", "break"):
            return None if before.text in MATH_SIGNS or _is_inside(tokens, i - 1) else i
        if before.kind == "operator":
            earlier = _words_start(tokens, i - 1)
            if earlier is not None and _ends_operand(tokens, earlier):
                i = earlier
                continue
            is_sign = before.text in "+-" and (i == 1 or tokens[i - 2].kind in ("open", "break"))
            return i - 1 if is_sign and tokens[i].is_glued else None
        if before.text == "of" and i > 1:
            if tokens[i - 2].is_percent or (tokens[i - 2].kind == "number" and i > 2 and tokens[i - 3].text == "/"):
                i -= 1
                continue
            return i if tokens[i - 2].text.lower() in SUMS else None
        if before.kind in ("variable", "number") or before.text.lower() in BLOCKERS:
            return None
        return i


def _is_inside(tokens: Sequence[Token], i: int) -> bool:
    """Return whether what begins behind place `i` belongs to more: `100 + (5 = 5`, `.8 + . 84`, `6:30`."""
    before = tokens[i - 1] if i else None
    if before is None:
        return False
    is_clock = tokens[i].text == ":" and before.kind == "number" and tokens[i + 1].is_glued
    return before.kind == "operator" or is_clock


def _operand_start(tokens: Sequence[Token], end: int) -> int | None:
    """Return where the operand begins that ends before `end`."""
    i = end
    if i and tokens[i - 1].text in ("²", "³"):
        i -= 1
    if not i:
        return None
    if tokens[i - 1].kind == "number":
        i -= 1
        return i - 1 if i and tokens[i - 1].kind == "number" and _is_mixed(tokens, i - 1) else i
    if tokens[i - 1].kind != "close":
        return None
    depth = 0
    while i:
        i -= 1
        depth += (tokens[i].kind == "close") - (tokens[i].kind == "open")
        if not depth:
            break
    else:
        return None
    if i and tokens[i].is_glued:
        before = tokens[i - 1]
        if before.kind in ("number", "close"):
            return _operand_start(tokens, i)
        if before.kind in ("word", "variable"):
            return None
    return i


def _words_start(tokens: Sequence[Token], end: int) -> int | None:
    """Return where the units begin that end before `end`; None where there are too many words for units."""
    for i in range(end, max(-1, end - MOST_UNITS - 1), -1):
        if not i or tokens[i - 1].kind != "word":
            return i
    return None


def _words_end(tokens: Sequence[Token], start: int) -> int:
    end = start
    while end < min(len(tokens), start + MOST_UNITS) and tokens[end].kind == "word":
        end += 1
    return end


def _ends_operand(tokens: Sequence[Token], end: int) -> bool:
    return end > 0 and (tokens[end - 1].kind in ("number", "close") or tokens[end - 1].text in ("²", "³"))


def _opens(tokens: Sequence[Token], i: int) -> bool:
    """Return whether an operand begins here."""
    if i >= len(tokens):
        return False
    if tokens[i].text == "-":
        return i + 1 < len(tokens) and tokens[i + 1].kind in ("number", "open") and tokens[i + 1].is_glued
    return tokens[i].kind in ("number", "open")


def _is_word(tokens: Sequence[Token], i: int) -> bool:
    return i < len(tokens) and tokens[i].kind == "word"


def _is_part(items: Sequence[Token]) -> bool:
    """Return whether `of` may follow: a percentage or a fraction."""
    return items[-1].is_percent or (len(items) > 2 and items[-1].kind == "number" and items[-2].text == "/")
