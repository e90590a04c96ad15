"""A finished first round, as far as a second one looks at it: its problems, the student's tries, its rows and weights."""

import json
import shutil

from cotdistill.records import Completion, Problem, Trace, Verdict
from cotdistill.storage.jsonl import AtomicFile

TRIED = Completion(key="k", index=0, text="It is 7.")


def write_first_round(folder, base, *, options, problems, outcomes, dataset):
    """Write the run to `folder`; `options` are those of its problems, `outcomes` returns what became of each try at one."""
    arms = {"arms": [{"name": "first", "kind": "trained", "stages": {"rollout": "rounds/2/1-rollout"}}]}
    tries = folder / "rounds/2/1-rollout"
    rows = folder / "3-convert"
    for place in (tries, rows, folder / "4-train"):
        place.mkdir(parents=True)
    (folder / "arms.json").write_text(json.dumps(arms))
    (folder / "recipe.resolved.json").write_text(json.dumps({"main": {"problems": options}}))
    with AtomicFile(tries / "rows.jsonl") as file:
        for given in problems:
            problem = Problem.model_validate(given)
            for outcome in outcomes(problem):
                verdict = Verdict(outcome=outcome, extracted="7")
                file.write_row(Trace(problem=problem, completion=TRIED, verdict=verdict, origin="student", round=2))
    turns = [{"from": "user", "value": "What is 3 + 4?"}, {"from": "assistant", "value": "3 and 4.\n\nIt is 7."}]
    (rows / "sharegpt.json").write_text(json.dumps([{"conversations": turns}] * 40))
    tags = {"user_tag": "user", "assistant_tag": "assistant", "role_tag": "from", "content_tag": "value"}
    entry = {"file_name": "sharegpt.json", "formatting": "sharegpt", "tags": tags}
    (rows / "dataset_info.json").write_text(json.dumps({dataset: entry}))
    shutil.copytree(base, folder / "4-train/checkpoint")
