import subprocess
import sys

import pytest

from cotdistill.filters.near_duplicate_questions import BANDS, RECALL, SeenQuestions, rows_per_band
from tests.support.traces import trace

pytest.importorskip("datasketch")

WORDS = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many clips did Natalia sell altogether in April and May of that year"


def asked(seen, question, problem, gold="7"):
    return seen.reasons_against([trace(question=question, problem=problem, gold=gold)] * 2)


def test_a_question_asked_in_nearly_the_same_words_is_named(tmp_path):
    with SeenQuestions(tmp_path, 0.8) as seen:
        assert asked(seen, WORDS + "?", "a") == [None, None]
        near = asked(seen, WORDS + ", please?", "b")
        assert near == [("near_duplicate", "the question is 0.97 like that of problem a (limit 0.8)")] * 2
        assert asked(seen, "How old is Tom's sister if she is twice as old as Tom?", "c") == [None, None]
        assert seen.reasons_against([]) == []


def test_another_gold_answer_is_another_question(tmp_path):
    with SeenQuestions(tmp_path, 0.8) as seen:
        assert asked(seen, WORDS, "a") == [None, None]
        assert asked(seen, WORDS.replace("48", "50"), "b", gold="75") == [None, None]
        assert asked(seen, WORDS.replace("48", "50"), "c", gold="75")[0].kind == "near_duplicate"


def test_nearly_all_pairs_at_the_threshold_are_found(tmp_path):
    with SeenQuestions(tmp_path, 0.9) as seen:
        words = [[f"w{n}x{i}" for i in range(62)] for n in range(200)]
        for n, question in enumerate(words):
            assert asked(seen, " ".join(question), f"p{n}")[0] is None
        # One word of 62 changed: 57 of 63 runs in common.
        near = [" ".join([*question[:30], "other", *question[31:]]) for question in words]
        found = [asked(seen, question, f"q{n}")[0] for n, question in enumerate(near)]
    assert sum(map(bool, found)) >= 180


@pytest.mark.parametrize("threshold", [0.7, 0.75, 0.8, 0.9, 0.95, 0.99])
def test_bands_are_as_long_as_the_recall_allows(threshold):
    rows = rows_per_band(threshold)
    assert 1 - (1 - threshold**rows) ** BANDS >= RECALL
    assert rows == 32 or 1 - (1 - threshold ** (rows + 1)) ** BANDS < RECALL


def test_candidates_do_not_depend_on_the_process():
    code = (
        "import sys; from pathlib import Path; from cotdistill.filters.near_duplicate_questions import SeenQuestions\n"
        "from cotdistill.records import Problem\n"
        "seen = SeenQuestions(Path(sys.argv[1]), 0.9)\n"
        "print(seen._sketch(Problem(id='p', question='one two three four five')).hashvalues.tolist())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, "/tmp"],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
