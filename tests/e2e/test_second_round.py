"""The second round of examples/papers: it asks the teacher what the first student got wrong, and nothing else."""

import json
import shutil
from collections import Counter

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.problem_set import ProblemOptions, load_problems
from tests.support.fault_server import FaultServer
from tests.support.first_round import write_first_round

RECIPE = "examples/papers/second_round.yaml"
RUN = "runs/second-round"
ROWS = [{"id": f"p{n}", "question": f"What is {n} + 1000?", "answer": f"#### {n + 1000}"} for n in range(400)]
OPTIONS = {"dataset": "gsm8k", "limit": 400, "holdout": 300}
ARMS = ("unsure", "own_answers", "more_of_the_same", "baseline")


def outcomes(problem):
    """Two tries at each problem: every third is missed, and every third is right once."""
    return (("wrong", "wrong"), ("correct", "wrong"), ("correct", "correct"))[int(problem.id[1:]) % 3]


def is_missed(problem):
    return "correct" not in outcomes(problem)


@pytest.fixture
def work(tmp_path, repository, base, monkeypatch):
    """A folder with the recipes, their set, and a first round that is done."""
    for folder in ("examples", "configs"):
        shutil.copytree(repository / folder, tmp_path / folder)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/gsm8k.json").write_text(json.dumps(ROWS))
    tried = [{"id": row["id"], "question": row["question"], "gold": row["answer"][5:]} for row in ROWS]
    first = tmp_path / "runs/second-round-first"
    write_first_round(first, base, options=OPTIONS, problems=tried, outcomes=outcomes, dataset="first_round")
    monkeypatch.setenv("TEACHER_API_KEY", "for-the-check")
    return tmp_path


def ledger(work, folder):
    """How often each problem was asked, by the ledger."""
    lines = (work / RUN / folder / "completions.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["problem_id"] for line in lines)


def test_the_ledger_holds_what_the_first_student_got_wrong_and_nothing_else(call, work):
    same = {"problems": {"run": None, "where": None}}
    with FaultServer() as server:  # what it answers is wrong: each is asked as often as `until` says
        said = {"teacher.base_url": server.base_url, "arms": json.dumps({"missed": {}, "more_of_the_same": same})}
        overrides = (part for key, value in said.items() for part in ("--set", f"{key}={value}"))
        code, _, err = call("sample", RECIPE, "--set", "train.bf16=false", *overrides)
    assert code == 0, err
    pool = load_problems(ProblemOptions.model_validate(OPTIONS), open_catalog([work]), seed=1234).sampled
    missed = {problem.id: 8 for problem in pool if is_missed(problem)}
    others = {problem.id: 8 for problem in pool if not is_missed(problem)}
    assert len(missed) + len(others) == 100 and missed and others
    assert ledger(work, "1-sample") == missed
    same_folder = "arms/more_of_the_same/1-sample"
    assert ledger(work, same_folder) == others | missed
    assert len(server.requests) == ledger(work, same_folder).total(), "what both ask is asked once"


def test_the_recipe_passes_the_check_with_all_arms(call, work):
    code, out, err = call("check", RECIPE, "--no-probe", "--set", "train.bf16=false")
    assert code == 0, err
    assert all(f"arms/{arm}/" in out for arm in ARMS)
    assert "1-sample: at most 272 requests" in out


def test_the_first_round_passes_the_check(call, work, base):
    rounds = json.dumps([{"problems": 50}, {"problems": 0, "keep_own": 2}])  # the set here is small
    student = json.dumps({"kind": "full", "model": str(base)})
    given = ("--set", f"rounds={rounds}", "--set", f"student={student}", "--set", "train.bf16=false")
    code, out, err = call("check", "examples/papers/second_round_first.yaml", "--no-probe", *given)
    assert code == 0, err
    assert "rounds/2/1-rollout" in out and "rounds/2/4-train" in out
