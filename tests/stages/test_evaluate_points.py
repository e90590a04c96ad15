"""What an evaluation leaves of the points on the way, beside the scores of the trained student."""

from dataclasses import replace

from cotdistill.data.task import Task
from cotdistill.records import Checkpoint, Problem, Score
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.evaluate import EvaluateOptions
from cotdistill.storage.jsonl import read
from cotdistill.storage.run_folder import ROWS

EVALUATE = stages()["evaluate"].function


def test_points_are_asked_the_same_problems_and_stored_apart(tmp_path, base, student):
    problems = [Problem(id=f"p{n}", question=f"What is {n} + 1?", gold=str(n + 1)) for n in range(3)]
    rows = [Checkpoint(path=base, fingerprint=f"f{step}", steps=step) for step in (6, 2, 4)]
    roles = {"style": make("styles", "plain"), "verifier": make("verifiers", "numeric"), "student": student}
    work = Workspace(tmp_path / "5-evaluate", tmp_path, 1)
    work.folder.mkdir()

    def ask(checkpoints):
        options = EvaluateOptions(max_tokens=2, checkpoints="all")
        return list(EVALUATE(checkpoints, options, work, tasks={"holdout": Task("holdout", tuple(problems))}, **roles))

    last = ask(rows)
    assert [score.problem for score in last] == problems
    folders = {path.name: path for path in (work.folder / "points").iterdir()}
    assert sorted(folders) == ["step-2", "step-4"]
    for folder in folders.values():
        assert [score.problem for score in read(folder / ROWS, Score)] == problems
        assert (folder / "report.json").is_file()
    ledgers = {path: path.read_bytes() for path in tmp_path.rglob("completions.jsonl")}
    assert len(ledgers) == 3
    assert ask(rows) == last
    assert {path: path.read_bytes() for path in ledgers} == ledgers, "what is stored is not asked again"
    work = replace(work, folder=tmp_path / "alone")
    work.folder.mkdir()
    assert [score.verdict for score in ask(rows[:1])] == [score.verdict for score in last]
    assert not (work.folder / "points").exists()
