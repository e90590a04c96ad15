"""What a file holds is told by its columns, and by more than its first row."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.data import open_catalog
from cotdistill.data.recognition import recognise
from cotdistill.data.row_layouts import ANSWERS, GOLDS, QUESTIONS, REASONINGS, SYSTEMS, TURNS
from cotdistill.errors import UserError
from cotdistill.registry import kinds, make

NAMES = [*QUESTIONS, *REASONINGS, *ANSWERS, *GOLDS, *SYSTEMS, *TURNS, "generations", "id", "reward_model", "history"]
TURN_KEYS = ["role", "content", "from", "value", "type", "text", "ground_truth"]

ASKED = [{"role": "user", "content": "q"}]
TURNS = [*ASKED, {"role": "assistant", "content": "a"}]
FROM = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]

ROWS = [
    ({"question": "q", "gold": "1"}, "problems", {}),
    ({"problem": "q", "solution": "s"}, "problems", {}),
    ({"question": "q", "answer": "…", "final_answer": "1"}, "problems", {}),
    ({"prompt": ASKED, "reward_model": {"ground_truth": "1"}}, "problems", {"question": "prompt"}),
    ({"question": "q", "reasoning": "r", "answer": "a"}, "traces", {}),
    ({"query": "q", "thinking": "r", "response": "a"}, "traces", {}),
    ({"messages": ASKED, "reasoning": "r", "answer": "a"}, "traces", {}),
    ({"problem": "q", "generated_solution": "s", "expected_answer": "1"}, "traces", {"answer": "generated_solution"}),
    ({"problem": "q", "generations": ["a", "b"], "messages": TURNS}, "traces", {}),
    ({"messages": TURNS, "reasoning": "on"}, "openai", {"messages": "messages"}),
    ({"messages": TURNS, "system": "s"}, "sharegpt", {"messages": "messages", "system": "system"}),
    ({"conversations": FROM, "answer": "1"}, "sharegpt", {"messages": "conversations"}),
    ({"prompt": ASKED, "completion": TURNS[1:]}, "openai", {"messages": "prompt", "response": "completion"}),
    ({"input": ASKED, "output": "a"}, "openai", {"messages": "input", "response": "output"}),
    ({"prompt": "q", "completion": "a"}, "alpaca", {"prompt": "prompt", "response": "completion"}),
    ({"query": "q", "response": "a"}, "alpaca", {"prompt": "query", "response": "response"}),
    ({"input": "q", "output": "a"}, "alpaca", {"prompt": "input"}),
    ({"instruction": "q", "input": "i", "output": "a"}, "alpaca", {}),
    ({"instruction": "q", "context": "c", "response": "a"}, "alpaca", {"query": "context", "response": "response"}),
]


@pytest.mark.parametrize(("row", "formatting", "columns"), ROWS, ids=lambda value: "-".join(value)[:40])
def test_a_row_is_told_by_its_columns(row, formatting, columns):
    found = recognise([row])
    assert found is not None
    assert (found.guess.formatting, dict(found.guess.columns)) == (formatting, columns)


def test_rows_of_the_same_names_are_told_apart_by_what_they_hold():
    known = recognise([{"question": "q", "reasoning": "r", "answer": "a"}])
    said = [
        {"question": "q", "reasoning": "r", "answer": "a"},
        {"question": "q", "reasoning": None, "answer": "a"},
        {"question": "q", "reasoning": "other", "answer": "words"},
        {"question": TURNS, "reasoning": None, "answer": None},
        {"question": "q", "reasoning": None, "answer": "b"},
    ]
    assert [bool(known.fault(row)) for row in said] == [False, True, False, True, True]


@pytest.mark.parametrize("row", [{"text": "t"}, {"chosen": "a", "rejected": "b"}, {"gold": "1"}, {}])
def test_columns_that_tell_nothing_are_told_from_others(row):
    assert recognise([row]) is None


@pytest.fixture
def find(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def found(*rows):
        (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return open_catalog([tmp_path]).find("x.jsonl")

    return found


def test_the_kind_of_a_file_is_that_of_most_rows_and_others_are_named_by_line(find):
    trace = {"question": "q", "reasoning": "r", "answer": "a"}
    others = [{"question": "q0", "answer": "1"}, trace, {**trace, "question": "q2"}, {"messages": TURNS}]
    dataset = find(*others)
    assert dataset.entry.formatting == "traces"
    with pytest.raises(UserError) as caught:
        list(dataset.read_traces())
    assert caught.value.lines() == [
        "x.jsonl:1: expected a row of traces, as the others are, found one of problems: question, answer",
        "x.jsonl:4: expected a row of traces, as the others are, found one of openai: messages",
    ]


def test_a_row_of_another_kind_is_found_behind_the_first_hundred(find):
    dataset = find(*({"question": f"q{number}", "gold": "1"} for number in range(150)), {"messages": TURNS})
    with pytest.raises(UserError, match=r"x\.jsonl:151: expected a row of problems, .* found one of openai"):
        list(dataset.read_problems())


def test_unknown_columns_are_named_with_the_line_to_add(find):
    with pytest.raises(UserError, match="cannot tell what its columns hold: task, result") as caught:
        find({"task": "q", "result": "1"})
    assert "`problems: {dataset: x.jsonl, columns: {question: …, gold: …}}`" in str(caught.value)
    assert "cotdistill-cli data add x.jsonl x --as problems" in str(caught.value)


def test_a_table_without_a_header_line_is_named_with_the_entry_that_names_its_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.tsv").write_text(f"{'How many pears has Ann? ' * 9}\t18\nAnd Ben?\t7\n")
    with pytest.raises(UserError) as caught:
        open_catalog([tmp_path]).find("x.tsv")
    entry = '"x": {"file_name": "x.tsv", "formatting": "problems", "column_names": ["question", "gold"]}'
    assert entry in str(caught.value)
    assert len(str(caught.value)) < 250
    (tmp_path / "dataset_info.json").write_text(f"{{{entry}}}")
    assert [problem.gold for problem in open_catalog([tmp_path]).find("x").read_problems()] == ["18", "7"]


def test_a_file_of_the_other_kind_is_refused_with_the_entry_to_paste(find):
    with pytest.raises(UserError) as caught:
        list(find({"messages": TURNS, "expected_answer": "1"}).read_traces())
    entry = {
        "file_name": "x.jsonl",
        "formatting": "traces",
        "columns": {"messages": "messages", "gold": "expected_answer"},
    }
    assert f'"x": {json.dumps(entry)}' in str(caught.value)
    with pytest.raises(UserError) as caught:
        list(find({"question": "q", "answer": "a"}).read_conversations())
    entry = {"file_name": "x.jsonl", "columns": {"prompt": "question", "response": "answer"}}
    assert f'"x": {json.dumps(entry)}' in str(caught.value)


def test_the_entry_to_paste_for_a_file_elsewhere_is_allowed_to_lead_there(find, tmp_path):
    find({"messages": TURNS})
    dataset = open_catalog([]).find(str(tmp_path / "x.jsonl"))
    with pytest.raises(UserError) as caught:
        list(dataset.read_traces())
    entry = str(caught.value).partition("dataset_info.json: ")[2].partition("; or")[0]
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "dataset_info.json").write_text(f"{{{entry}}}")
    assert len(list(open_catalog([tmp_path / "sets"]).find("x").read_traces())) == 1


def test_a_set_without_a_row_is_a_fault(find, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(UserError, match=r"x\.json: is empty: it holds no rows"):
        list(open_catalog([tmp_path]).find("x.json").read_problems())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TURN_KEYS) | st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), JSON, max_size=5), min_size=1, max_size=3)
)
def test_any_row_is_read_or_refused_and_never_a_bug(rows):
    found = recognise(rows)
    for row in rows:
        if found is not None:
            found.fault(row)
        for name in kinds("formats"):
            layout = make("formats", name)
            try:
                assert layout.read(row, "0")
            except ValueError as error:
                assert str(error)
            else:
                assert all(isinstance(column, str) for column in layout.columns(row).values())
