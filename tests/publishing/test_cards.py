"""The card beside a converted set, and the rows that it describes."""

import json
import re

import pytest
import yaml

from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.publishing.cards import told
from cotdistill.recipe.recipe import read_recipe
from cotdistill.records import problem_id
from cotdistill.registry import kinds
from cotdistill.styles.thought_solution import SYSTEM

ROWS = [
    {
        "question": f"What is {n} + 1?",
        "gold": str(n + 1),
        "reasoning": f"Okay.\n\n{n} + 1 = {n + 1}.",
        "answer": f"**{n + 1}**",
    }
    for n in range(8)
]
RECIPE = """\
name: t
%s
teacher: {kind: replay, path: traces.jsonl}
convert: {dataset: DS_r1_answer%s}
"""


@pytest.fixture
def converted(tmp_path, monkeypatch):
    """Convert recorded answers: the folder of the convert stage."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traces.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    entry = {"local_path": ".", "file_name": "traces.jsonl", "formatting": "traces", "license": "MIT"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"sums": entry}))

    def run(problems="", convert=""):
        (tmp_path / "t.yaml").write_text(RECIPE % (problems, convert))
        Pipeline(read_recipe(tmp_path / "t.yaml"), RunOptions(runs=tmp_path / "runs")).run()
        return tmp_path / "runs" / "t" / "3-convert"

    return run


def test_recorded_answers_are_written_to_the_byte_as_openmind_trains_them(converted):
    rows = json.loads((converted() / "sharegpt.json").read_text())
    assert rows == [
        {
            "id": f"{problem_id(row['question'])}/0",
            "system": SYSTEM,
            "conversations": [
                {"from": "user", "value": row["question"]},
                {
                    "from": "assistant",
                    "value": f"<|begin_of_thought|>\n\n{row['reasoning']}<|end_of_thought|>\n\n"
                    f"<|begin_of_solution|>\n\n{row['answer']}<|end_of_solution|>",
                },
            ],
        }
        for row in ROWS
    ]


def test_the_card_says_where_the_rows_come_from(converted):
    folder = converted("problems: {dataset: sums}", ", mixture: [{style: think, weight: 3}, {style: arrow, shots: 2}]")
    _, front, text = (folder / "README.md").read_text().split("---\n", 2)
    header = yaml.safe_load(front)
    assert header["license"] == "MIT"
    assert header["size_categories"] == ["n<1K"]
    assert (folder / header["configs"][0]["data_files"]).is_file()
    for line in (
        "# DS_r1_answer",
        "* Problems: sums",
        "* Teacher: replay",
        "* Style: 75% think, 25% arrow with 2 worked examples",
        "| filter | 8 | 8 |  |",
        "The problems' source is under MIT; the answers are a model's: the terms of the teacher hold for them.",
    ):
        assert line in text.splitlines()
    assert re.search(r"\* Tokens: [1-9]\d* in, [1-9]\d* out.*; 8 answers came without a count", text)
    assert sum(int(line.split("|")[2]) for line in text.splitlines() if " to " in line and line.startswith("|")) == 8


def test_what_the_teacher_was_told_is_quoted_whole(tmp_path):
    path = tmp_path / "ask.txt"
    path.write_text("Explain it.\n```\n{question}\n```\n")
    options = kinds("samplers")["endpoint"].options.model_validate(
        {
            "kind": "endpoint",
            "base_url": "http://127.0.0.1:1/v1",
            "model": "m",
            "prompt": str(path),
            "system": "Be brief.",
        }
    )
    assert told(options) == {
        "System prompt": "\n\n  ```\n  Be brief.\n  ```\n",
        "Prompt": f"`{path}`\n\n  ````\n  Explain it.\n  ```\n  {{question}}\n  ```\n  ````\n",
    }
    assert told(None) == {}
