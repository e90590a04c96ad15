"""The teacher's tokens beside the student's, against every way of laying two texts side by side."""

import random
from functools import cache
from itertools import accumulate, pairwise

import pytest

from cotdistill.training.prepare.token_alignment import RUN_COST, UNITS, aligned, runs

LETTERS = "ab \n7é中😀"
"""Few, so that words come again; of one to four bytes."""


def cut(text, rng):
    """Return a tokenisation: the bytes of the text in random pieces, parts of characters among them."""
    places = sorted({0, len(text), *(rng.randrange(len(text)) for _ in range(rng.randrange(len(text))))})
    return [text[start:end] for start, end in pairwise(places)]


def write(rng, characters):
    return "".join(rng.choice(LETTERS) for _ in range(characters)).encode()


def changed(text, rng):
    """Return the text with tags around it, white space lost, a part left out or a part put in."""
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        [
            b"<tag>" + text + b"</tag>\n",
            text.replace(b"\n", b""),
            text.strip(),
            text[: at // 2] + text[at:],
            text[:at] + write(rng, 6) + text[at:],
        ]
    )


def spans(tokens):
    ends = list(accumulate(map(len, tokens)))
    return list(zip([0, *ends], ends, strict=False))


def best_score(one, other):
    """Return the highest score of any way: written out as a choice at every pair of units."""

    @cache
    def best(i, j, *, is_inside):
        if i == len(one) or j == len(other):
            return 0
        found = max(best(i + 1, j, is_inside=False), best(i, j + 1, is_inside=False))
        if one[i] == other[j]:
            gain = len(one[i]) - (0 if is_inside else RUN_COST)
            found = max(found, gain + best(i + 1, j + 1, is_inside=True))
        return found

    return best(0, 0, is_inside=False)


@pytest.mark.parametrize("seed", range(200))
def test_tokens_of_one_text_are_pairs_where_they_cover_the_same_bytes(seed):
    rng = random.Random(seed)
    text = write(rng, rng.randrange(1, 40))
    teacher, student = cut(text, rng), cut(text, rng)
    known = {span: number for number, span in enumerate(spans(teacher))}
    assert aligned(teacher, student) == [known.get(span) for span in spans(student)]


@pytest.mark.parametrize("seed", range(200))
def test_what_two_texts_share_has_the_highest_score_of_all_ways_and_its_tokens_are_pairs(seed):
    rng = random.Random(seed)
    text = write(rng, rng.randrange(1, 24))
    other = changed(text, rng) or b"a"
    shared = runs(text, other)
    for run in shared:
        teacher_end, student_end = run.teacher_start + run.size_bytes, run.student_start + run.size_bytes
        assert text[run.teacher_start : teacher_end] == other[run.student_start : student_end]
    for one, after in pairwise(shared):
        assert one.teacher_start + one.size_bytes <= after.teacher_start
        assert one.student_start + one.size_bytes <= after.student_start
    if text != other:
        score = sum(run.size_bytes - RUN_COST for run in shared)
        assert score == best_score(tuple(UNITS[0].findall(text)), tuple(UNITS[0].findall(other)))
    teacher, student = cut(text, rng), cut(other, rng)
    known = {span: number for number, span in enumerate(spans(teacher))}
    expected = []
    for start, end in spans(student):
        inside = [run for run in shared if run.student_start <= start and end <= run.student_start + run.size_bytes]
        moved = [run.teacher_start - run.student_start for run in inside]
        expected.append(next((known.get((start + by, end + by)) for by in moved), None))
    is_shared = sum(run.size_bytes for run in shared) * 2 >= len(text)
    assert aligned(teacher, student) == (expected if is_shared else [None] * len(student))


def test_a_style_that_puts_tags_around_a_text_keeps_its_pairs():
    teacher = [b"<think>", b"\n", b"Half of 48", b" is", b" 24", b".", b"\n</think>", b"\n\n", b"It is", b" **72**"]
    student = [b"<|begin_of_thought|>\n\n", b"Half", b" of 48", b" is", b" 2", b"4", b".", b"<|end_of_thought|>\n\n"]
    student += [b"<|begin_of_solution|>\n\n", b"It is", b" **72**", b"<|end_of_solution|>", b""]
    found = {student[place]: teacher[n] for place, n in enumerate(aligned(teacher, student)) if n is not None}
    assert found == {b" is": b" is", b".": b".", b"It is": b"It is", b" **72**": b" **72**"}


def test_a_word_that_comes_again_is_never_taken_for_its_other_occurrence():
    teacher, student = [b"ab", b"ab", b" ", b"ab"], [b"a", b"b", b"ab", b" ab"]
    assert aligned(teacher, student) == [None, None, 1, None]


def test_an_answer_without_the_rationale_before_it_has_no_pairs():
    teacher = [b"Half", b" of", b" 48", b" is", b" 24", b",", b" so", b" it", b" is", b" 72"]
    assert aligned(teacher, [b" it", b" is", b" 72"]) == [None, None, None]
    assert aligned(teacher, [b" 24", b",", b" so", b" it", b" is", b" 72"]) == [4, 5, 6, 7, 8, 9]


def test_long_texts_are_compared_by_lines():
    lines = [b"Line %d says what it says.\n" % number for number in range(3000)]
    found = aligned(lines, [b"<tag>\n", *lines[:2000], *lines[2001:]])
    assert found == [None, *range(2000), *range(2001, 3000)]


@pytest.mark.parametrize(
    ("teacher", "student"), [([], []), ([], [b"a"]), ([b"a"], []), ([b""], [b""]), ([b""], [b"a"])]
)
def test_nothing_has_no_pairs(teacher, student):
    assert aligned(teacher, student) == [None] * len(student)
