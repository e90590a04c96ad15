import json

import pytest

from cotdistill.data import Catalog, DataOptions, open_catalog
from cotdistill.errors import UserError

OPENMIND = {
    "local_path": "data",
    "file_name": "r1.json",
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system"},
    "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "user", "assistant_tag": "assistant"},
}


@pytest.fixture
def registry(tmp_path):
    def write(**entries):
        (tmp_path / "dataset_info.json").write_text(json.dumps(entries, indent=1))
        return open_catalog([tmp_path])

    return write


def test_an_openmind_entry_is_read_as_it_is(tmp_path, registry):
    (tmp_path / "data").mkdir()
    row = {"system": "s", "conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}]}
    (tmp_path / "data" / "r1.json").write_text(json.dumps([row, row]))
    first, second = registry(DS=OPENMIND).find("DS").read_conversations()
    assert [m.role for m in first.messages] == ["system", "user", "assistant"]
    assert (first.id, second.id) == ("0", "1")


def test_num_samples_takes_the_first_rows(tmp_path, registry):
    (tmp_path / "p.jsonl").write_text("".join(f'{{"question": "q{i}", "gold": "{i}"}}\n' for i in range(9)))
    catalog = registry(p={"local_path": ".", "file_name": "p.jsonl", "formatting": "problems", "num_samples": 3})
    assert [p.gold for p in catalog.find("p").read_problems()] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("row", "gold"),
    [
        ({"question": "q", "answer": "1 + 1 = 2\n#### 2"}, "2"),
        ({"question": "q", "answer": "2"}, "2"),
        ({"question": "q", "gold": "3", "answer": "#### 2"}, "3"),
        ({"question": "q", "gold": 3}, "3"),
        ({"problem": "q", "answer": "2"}, "2"),
        ({"question": "q"}, None),
        ({"question": "q", "reasoning": "r", "answer": "so it is 3"}, None),
    ],
)
def test_the_gold_answer_is_found_where_sets_keep_it(tmp_path, registry, row, gold):
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    (problem,) = registry().find(str(tmp_path / "p.jsonl")).read_problems()
    assert (problem.question, problem.gold) == ("q", gold)


def test_a_question_that_stands_twice_is_asked_once(tmp_path, registry):
    (tmp_path / "p.jsonl").write_text('{"question": "q", "gold": "1"}\n' * 3)
    assert len(list(registry().find(str(tmp_path / "p.jsonl")).read_problems())) == 1


def test_a_question_with_another_gold_counts_by_its_first_row_and_that_is_told(tmp_path, registry, caplog):
    (tmp_path / "p.jsonl").write_text('{"question": "q", "gold": "1"}\n{"question": "q", "gold": "2"}\n')
    assert [problem.gold for problem in registry().find(str(tmp_path / "p.jsonl")).read_problems()] == ["1"]
    assert "1 rows have another gold answer than the first one" in caplog.text


@pytest.mark.parametrize(
    ("entries", "name", "message"),
    [
        ({"DS": {**OPENMIND, "file_nam": "x"}}, "DS", r"dataset_info\.json:\d+: DS\.file_nam: unknown key .*file_name"),
        ({"DS": {**OPENMIND, "formatting": "sharegtp"}}, "DS", r"DS\.formatting: unknown formatting .*`sharegpt`"),
        ({"DS_r1": OPENMIND}, "DS_r2", r"`DS_r2` is not registered .*did you mean `DS_r1`"),
        ({}, "DS", r"`DS` is not registered"),
        ({"DS": OPENMIND}, "DS", r"dataset_info\.json:2: DS: no file at .*r1\.json"),
        ({"DS": {"formatting": "sharegpt"}}, "DS", r"names no place"),
        ({}, "none.jsonl", r"no file `none\.jsonl`"),
    ],
)
def test_a_faulty_registry_is_named_with_its_line(registry, entries, name, message):
    with pytest.raises(UserError, match=message):
        list(registry(**entries).find(name).read_rows())


def test_a_bad_row_is_named_with_its_line(tmp_path, registry):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "r1.json").write_text('[\n{"conversations": [{"from": "bot", "value": "q"}]}\n]')
    with pytest.raises(UserError, match=r"r1\.json:2: conversations\[0\]\.from: expected"):
        list(registry(DS=OPENMIND).find("DS").read_conversations())


def test_the_registry_beside_the_recipe_wins(tmp_path):
    for folder, text in (("a", "far"), ("b", "near")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.jsonl").write_text(json.dumps({"question": text}))
        entry = {"p": {"local_path": ".", "file_name": "p.jsonl", "formatting": "problems"}}
        (tmp_path / folder / "dataset_info.json").write_text(json.dumps(entry))
    (problem,) = open_catalog([tmp_path / "a", tmp_path / "b"]).find("p").read_problems()
    assert problem.question == "near"


def test_the_registry_that_the_recipe_names_wins_over_the_others(tmp_path, registry):
    registry(p={"file_name": "far.jsonl", "formatting": "problems"})
    (tmp_path / "own").mkdir()
    entry = {"p": {"file_name": "near.jsonl", "formatting": "problems"}}
    (tmp_path / "own" / "dataset_info.json").write_text(json.dumps(entry))
    (tmp_path / "own" / "near.jsonl").write_text('{"question": "near"}')
    for named in (tmp_path / "own", tmp_path / "own" / "dataset_info.json"):
        (problem,) = open_catalog([tmp_path], DataOptions(registry=str(named))).find("p").read_problems()
        assert problem.question == "near"


def test_a_registry_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no registry at .*nowhere"):
        open_catalog([tmp_path], DataOptions(registry=str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    ("row", "formatting"),
    [
        ({"question": "q", "gold": "1"}, "problems"),
        ({"problem": "q", "answer": "1"}, "problems"),
        ({"question": "q", "reasoning": "r", "answer": "a"}, "traces"),
        ({"Question": "q", "Complex_CoT": "r", "Response": "a"}, "traces"),
        ({"problem": "q", "generations": ["<think>r</think>a"], "answer": "a"}, "traces"),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, "sharegpt"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, "openai"),
        ({"instruction": "q", "output": "a"}, "alpaca"),
    ],
)
def test_a_file_without_an_entry_is_told_by_its_first_row(tmp_path, row, formatting):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row))
    dataset = Catalog(()).find(str(path))
    assert dataset.entry.formatting == formatting
    assert len(list(dataset.read_samples())) == 1


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "tsv", "parquet"])
def test_every_kind_of_file_gives_the_same_problems(tmp_path, suffix):
    rows = [{"question": f"What is {n} + 1?", "gold": str(n + 1)} for n in range(300)]
    path = tmp_path / f"p.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps(rows))
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        mark = "," if suffix == "csv" else "\t"
        path.write_text("".join(f"{q}{mark}{g}\n" for q, g in [("question", "gold"), *(r.values() for r in rows)]))
    assert [{"question": p.question, "gold": p.gold} for p in Catalog(()).find(str(path)).read_problems()] == rows
