"""`data add` writes an entry under which a file is read as it was looked at, and touches nothing else."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.adding import add_file
from cotdistill.errors import UserError

REGISTRY = '{\n "old": {"file_name":   "o.jsonl"}, "é": {"hub_url": "a/b",\n\t"license": "MIT"}\n}\n'


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"problem": "q", "generated_solution": "a", "expected_answer": "1"}\n')
    return tmp_path


def test_the_other_entries_stay_to_the_byte(home):
    registry = home / "dataset_info.json"
    registry.write_text(REGISTRY)
    add_file("x.jsonl", "mine", registry=registry)
    columns = '{"question": "problem", "answer": "generated_solution", "gold": "expected_answer"}'
    mine = f'"mine": {{"file_name": "x.jsonl", "formatting": "traces", "columns": {columns}}}'
    assert registry.read_text() == REGISTRY.replace('"MIT"}', f'"MIT"}},\n  {mine}')
    (trace,) = open_catalog([home]).find("mine").read_traces()
    assert (trace.problem.gold, trace.completion.text) == ("1", "a")
    add_file("x.jsonl", "old", registry=registry, formatting="problems", replaces=True)
    assert list(json.loads(registry.read_text())) == ["old", "é", "mine"]
    assert '"é": {"hub_url": "a/b",\n\t"license": "MIT"}' in registry.read_text()


def test_a_name_is_not_given_twice_without_being_asked_to(home):
    registry = home / "dataset_info.json"
    add_file("x.jsonl", "mine", registry=registry)
    before = registry.read_bytes()
    with pytest.raises(UserError, match=r"dataset_info\.json:2: mine: is registered already .*--replace"):
        add_file("x.jsonl", "mine", registry=registry)
    with pytest.raises(UserError, match=r"`gsm8k` is a ready entry .*--replace hides it"):
        add_file("x.jsonl", "gsm8k", registry=registry)
    assert registry.read_bytes() == before


BAD = [
    ({"columns": {"qestion": "problem"}}, r"--column: `qestion` is nothing that a column can hold .*`question`"),
    ({"columns": {"question": "task"}}, r"x\.jsonl:1: task: is missing"),
    ({"formatting": "trace"}, r"formatting: unknown formatting .*did you mean `traces`"),
    ({"formatting": "sharegpt"}, r"x\.jsonl:1: conversations: is missing"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_cannot_be_read_is_not_written(home, options, message):
    with pytest.raises(UserError, match=message):
        add_file("x.jsonl", "mine", registry=home / "dataset_info.json", **options)
    assert not (home / "dataset_info.json").exists()


def test_a_file_that_is_not_there_is_one_fault(home):
    with pytest.raises(UserError, match=r"y\.jsonl: no such file"):
        add_file("y.jsonl", "mine", registry=home / "dataset_info.json")


def test_a_faulty_registry_is_left_alone(home):
    registry = home / "dataset_info.json"
    registry.write_text('{"a": 1,}')
    with pytest.raises(UserError, match=r"dataset_info\.json:1: is not JSON"):
        add_file("x.jsonl", "mine", registry=registry)
    assert registry.read_text() == '{"a": 1,}'


def test_a_file_elsewhere_is_named_by_its_whole_path(home):
    registry = home / "sets" / "dataset_info.json"
    add_file("../" + home.name + "/x.jsonl", "mine", registry=registry)
    add_file("*.jsonl", "all", registry=registry)
    add_file("*.jsonl", "near", registry=home / "dataset_info.json")
    entries = json.loads(registry.read_text())
    assert entries["mine"]["local_path"] == str(home / "x.jsonl")
    assert (entries["all"]["local_path"], entries["all"]["file_name"]) == (str(home), "*.jsonl")
    assert json.loads((home / "dataset_info.json").read_text())["near"]["file_name"] == "*.jsonl"
    for name in ("mine", "all"):
        assert len(list(open_catalog([home / "sets"]).find(name).read_traces())) == 1


def test_a_link_to_a_registry_is_kept(home):
    (home / "real.json").write_text("{}")
    (home / "dataset_info.json").symlink_to("real.json")
    add_file("x.jsonl", "mine", registry=home / "dataset_info.json")
    assert (home / "dataset_info.json").is_symlink()
    assert "mine" in json.loads((home / "real.json").read_text())


def test_columns_that_only_some_rows_have_are_not_asked_of_all(home):
    rows = [
        {"question": "q1", "reasoning": "r", "answer": "a", "gold": "1"},
        {"question": "q2", "reasoning": "r", "answer": "a"},
    ]
    (home / "y.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    added = add_file("y.jsonl", "mine", registry=home / "dataset_info.json")
    assert "gold" not in added.entry["columns"]
    assert [trace.problem.gold for trace in open_catalog([home]).find("mine").read_traces()] == ["1", None]
