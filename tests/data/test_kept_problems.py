"""Problems of an earlier start: the same as those that are read, and never those of something else."""

import json
import logging
import random

import pytest

from cotdistill.data import kept_problems as module
from cotdistill.data import open_catalog
from cotdistill.data.kept_problems import kept_problems
from cotdistill.data.options import DataOptions
from cotdistill.data.problem_set import ProblemOptions, load_problems
from cotdistill.registry import kinds

ROWS = [
    *({"id": f"p{n}", "question": f"What is {n} + 1?", "gold": str(n + 1)} for n in range(30)),
    {"id": "again", "question": "What is 3 + 1?", "gold": "4"},
    {"id": "other", "question": "What is 4 + 1?", "gold": "6", "note": "unread"},
    {"id": "bad", "question": 7},
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_FROM", 1)
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "run").mkdir()
    return Starts(tmp_path)


class Starts:
    """Starts of one run, which count how often the set is read."""

    def __init__(self, folder):
        self.folder = folder
        self.kept = folder / "run" / "problems"
        self.read = 0

    def start(self, *, seed=1, verifier="numeric", bad_rows=1, kept=None, **options):
        chosen = ProblemOptions(dataset=str(self.folder / "p.jsonl"), **options)
        catalog = open_catalog([self.folder], DataOptions(max_bad_rows=bad_rows))

        def read():
            self.read += 1
            return load_problems(chosen, catalog, seed=seed)

        chosen_verifier = kinds("verifiers")[verifier].options(kind=verifier)
        folder = self.kept if kept is None else kept
        return kept_problems(chosen, catalog, read, folder=folder, seed=seed, verifier=chosen_verifier)


def said(found):
    bad = [(str(row.fault), row.fault.hint, row.text) for row in found.bad.found]
    return list(found.sampled), found.holdout, bad, found.bad.unread, found.conflicts, found.repeated


@pytest.mark.parametrize("options", [{}, {"holdout": 5}])
def test_the_next_start_has_the_same_problems_and_says_the_same_without_reading_them(run, caplog, options):
    caplog.set_level(logging.INFO)
    first = said(run.start(**options))
    lines = [record.getMessage() for record in caplog.records]
    caplog.clear()
    assert said(run.start(**options)) == first
    assert [record.getMessage() for record in caplog.records] == lines
    assert len(lines) == 3 and run.read == 1
    assert len(first[0]) == 31 - options.get("holdout", 0)
    assert first[2] and first[3] and first[4] and first[5]


def test_another_file_option_seed_or_verifier_is_read(run):
    run.start(holdout=5)
    changes = ({"holdout": 6}, {"seed": 2}, {"verifier": "choice"}, {"bad_rows": 2}, {"columns": {"gold": "gold"}})
    for number, change in enumerate(changes, start=2):
        run.start(**{"holdout": 5, **change})
        assert run.read == number
    rows = [{**row, "gold": "8"} if row["id"] == "p7" else row for row in ROWS]
    (run.folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert next(p.gold for p in run.start().sampled if p.id == "p7") == "8"
    assert run.read == 2 + len(changes)


def test_a_damaged_file_is_read_again_and_written_anew(run):
    first = said(run.start())
    (path,) = run.kept.iterdir()
    whole, draw = path.read_bytes(), random.Random(1)
    for number in range(2, 22):
        place = draw.randrange(len(whole))
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :] if number % 2 else whole[:place]
        )
        assert said(run.start()) == first
        assert run.read == number and path.read_bytes() == whole


def test_what_is_found_out_about_them_outlasts_the_process(run):
    def never():
        raise AssertionError("it is kept")

    asked = run.start()
    assert asked.sampled.remember("key", lambda: "9f") == "9f"
    again = run.start().sampled
    assert again.remember("key", never) == "9f"
    assert again.remember("another", lambda: "5c") == "5c"
    # A part of them is another set, and so are those of another file.
    assert again.at([0, 1]).remember("key", lambda: "00") == "00"
    assert run.start(holdout=5).sampled.remember("key", lambda: "11") == "11"
    for path in run.kept.iterdir():
        if "." in path.name:
            path.write_bytes(path.read_bytes().replace(b"9f", b"9e", 1))
    assert run.start().sampled.remember("key", lambda: "9f again") == "9f again"


def test_small_and_partial_sets_are_not_kept_nor_those_of_a_run_that_has_not_begun(run, monkeypatch):
    run.start(limit=10)
    run.start(kept=run.folder / "later" / "problems")
    monkeypatch.setattr(module, "KEPT_FROM", 1000)
    run.start()
    assert not run.kept.exists() and not (run.folder / "later").exists()
