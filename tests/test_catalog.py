import json

import pytest

from cotdistill.catalog import open_catalog
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
    first, second = registry(DS=OPENMIND).find("DS").conversations()
    assert [m.role for m in first.messages] == ["system", "user", "assistant"]
    assert (first.id, second.id) == ("0", "1")


def test_num_samples_takes_the_first_rows(tmp_path, registry):
    (tmp_path / "p.jsonl").write_text("".join(f'{{"question": "q{i}", "gold": "{i}"}}\n' for i in range(9)))
    catalog = registry(p={"local_path": ".", "file_name": "p.jsonl", "formatting": "problems", "num_samples": 3})
    assert [p.gold for p in catalog.find("p").problems()] == ["0", "1", "2"]


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
    (problem,) = registry().find(str(tmp_path / "p.jsonl")).problems()
    assert (problem.question, problem.gold) == ("q", gold)


def test_a_question_that_stands_twice_is_asked_once(tmp_path, registry):
    (tmp_path / "p.jsonl").write_text('{"question": "q", "gold": "1"}\n' * 3)
    assert len(list(registry().find(str(tmp_path / "p.jsonl")).problems())) == 1


@pytest.mark.parametrize(
    ("entries", "name", "message"),
    [
        ({"DS": {**OPENMIND, "file_nam": "x"}}, "DS", r"dataset_info\.json:\d+: DS\.file_nam: unknown key .*file_name"),
        ({"DS": {**OPENMIND, "formatting": "sharegtp"}}, "DS", r"DS\.formatting: should be .*'sharegpt'"),
        ({"DS_r1": OPENMIND}, "DS_r2", r"`DS_r2` is not registered .*did you mean `DS_r1`"),
        ({}, "DS", r"`DS` is not registered"),
        ({"DS": OPENMIND}, "DS", r"no file at .*r1\.json"),
        ({"DS": {"formatting": "sharegpt"}}, "DS", r"names no place"),
        ({}, "none.jsonl", r"no file `none\.jsonl`"),
    ],
)
def test_a_faulty_registry_is_named_with_its_line(registry, entries, name, message):
    with pytest.raises(UserError, match=message):
        list(registry(**entries).find(name).rows())


def test_a_bad_row_is_named_with_its_line(tmp_path, registry):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "r1.json").write_text('[\n{"conversations": [{"from": "bot", "value": "q"}]}\n]')
    with pytest.raises(UserError, match=r"r1\.json:2: conversations\[0\]\.from: expected"):
        list(registry(DS=OPENMIND).find("DS").conversations())


def test_the_registry_beside_the_recipe_wins(tmp_path):
    for folder, text in (("a", "far"), ("b", "near")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.jsonl").write_text(json.dumps({"question": text}))
        entry = {"p": {"local_path": ".", "file_name": "p.jsonl", "formatting": "problems"}}
        (tmp_path / folder / "dataset_info.json").write_text(json.dumps(entry))
    (problem,) = open_catalog([tmp_path / "a", tmp_path / "b"]).find("p").problems()
    assert problem.question == "near"
