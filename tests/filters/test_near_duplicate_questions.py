import random
import subprocess
import sys
from pathlib import Path

import pytest

from cotdistill.filters import near_duplicate_questions
from cotdistill.filters._bands import MOST_CANDIDATES, RECALL, ROWS, bands
from cotdistill.filters.near_duplicate_questions import SeenQuestions
from cotdistill.filters.shingles import jaccard, shingles
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


@pytest.mark.parametrize("threshold", [0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1])
def test_there_are_as_many_bands_as_the_recall_asks_for(threshold):
    count = bands(threshold)
    assert 1 - (1 - threshold**ROWS) ** count >= RECALL
    assert count == 1 or 1 - (1 - threshold**ROWS) ** (count - 1) < RECALL


@pytest.mark.parametrize("gold", ["7.0", "7,000/1000", "$7$", " 7"])
def test_golds_are_compared_as_numbers(tmp_path, gold):
    with SeenQuestions(tmp_path, 0.8) as seen:
        assert asked(seen, WORDS, "a") == [None, None]
        assert asked(seen, WORDS + ", please?", "b", gold=gold)[0].kind == "near_duplicate"


def test_the_same_pairs_are_found_as_by_comparing_each_with_each(tmp_path):
    rng = random.Random(2)
    stock = [f"w{n}" for n in range(300)]
    first = [[rng.choice(stock) for _ in range(rng.randint(15, 50))] for _ in range(60)]
    texts = list(first)
    for words in first:
        # One to four words of it changed: some copies are above the threshold, some below.
        for count in (1, 2, 4):
            copy = list(words)
            for place in rng.sample(range(len(copy)), count):
                copy[place] = rng.choice(stock)
            texts.append(copy)
    rng.shuffle(texts)
    questions = [" ".join(words) for words in texts]
    kept, expected = [], []
    for question in questions:
        is_copy = any(jaccard(shingles(question), shingles(other)) >= 0.75 for other in kept)
        expected.append(is_copy)
        kept += [] if is_copy else [question]
    with SeenQuestions(tmp_path, 0.75) as seen:
        found = [asked(seen, question, str(n))[0] is not None for n, question in enumerate(questions)]
    assert 20 < sum(expected) < 160
    assert sum(one != other for one, other in zip(found, expected, strict=True)) <= 0.03 * len(questions)


def test_what_does_not_fit_into_memory_is_found_on_disk_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("cotdistill.filters._bands.CACHE_KIB", 16)
    questions = [" ".join(f"w{n}x{i}" for i in range(20)) for n in range(3000)]
    with SeenQuestions(tmp_path, 0.75) as seen:
        assert not any(asked(seen, question, f"p{n}")[0] for n, question in enumerate(questions))
        assert all(asked(seen, question, f"q{n}")[0] for n, question in enumerate(questions))
        assert list(tmp_path.iterdir()) == []


def test_thousands_of_one_template_take_no_quadratic_time(tmp_path, monkeypatch):
    compared = []
    monkeypatch.setattr(near_duplicate_questions, "jaccard", lambda one, other: compared.append(1) or 0.0)
    with SeenQuestions(tmp_path, 0.75) as seen:
        for n in range(400):
            asked(seen, WORDS, f"p{n}")
    assert len(compared) <= 400 * MOST_CANDIDATES


def test_what_is_found_does_not_depend_on_the_process():
    code = (
        "import random, sys; from pathlib import Path; from tests.support.traces import trace\n"
        "from cotdistill.filters.near_duplicate_questions import SeenQuestions\n"
        "rng = random.Random(1)\n"
        "texts = [' '.join(rng.choices('abcdefghij', k=12)) for _ in range(400)]\n"
        "with SeenQuestions(Path(sys.argv[1]), 0.7) as seen:\n"
        "    print([n for n, text in enumerate(texts) if seen.reasons_against([trace(question=text)])[0]])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, "/tmp"],
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
