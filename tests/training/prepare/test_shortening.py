"""A rationale made shorter in its middle."""

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.training.prepare.shortening import shortened


def letters(texts):
    return [len(text) for text in texts]


def test_whole_lines_go_from_the_middle():
    rationale = "".join(f"line {n}\n" for n in range(10))
    assert shortened(f"<t>{rationale}</t> 7", rationale, 42, letters) == "<t>line 0\nline 1\nline 8\nline 9\n</t> 7"


def test_one_long_line_loses_words():
    rationale = " ".join(f"w{n}" for n in range(10))
    assert shortened(f"{rationale} --> 7", rationale, 15, letters) == "w0 w1 w7 w8 w9 --> 7"


def test_what_is_not_there_or_not_long_enough_is_left_alone():
    assert shortened("so it is 7", "", 5, letters) is None
    assert shortened("so it is 7", "elsewhere", 5, letters) is None
    assert shortened("a b c -> 7", "a b c", 5, letters) is None
    assert shortened("a b c -> 7", "a b c", 99, letters) is None


@given(st.text(max_size=200), st.text(min_size=1, max_size=300), st.text(max_size=50), st.integers(1, 300))
def test_what_stands_around_the_rationale_never_changes(before, rationale, after, surplus):
    answer = f"{before}\x00{rationale}\x00{after}"
    shorter = shortened(answer, f"\x00{rationale}\x00", surplus, letters)
    if shorter is not None:
        assert shorter.startswith(before) and shorter.endswith(after)
        assert len(shorter) <= len(answer) - surplus
