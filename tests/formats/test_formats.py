"""One test over all formats: each round-trips, and names what is wrong with a row."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.data import open_catalog
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Message
from cotdistill.registry import kinds, make

FORMATS = sorted(name for name, kind in kinds("formats").items() if kind.target.holds == "conversations")
text = st.text(min_size=1)


def conversation(*contents, system=None):
    roles = ["user", "assistant"] * (len(contents) // 2)
    messages = [Message(role=r, content=c) for r, c in zip(roles, contents, strict=True)]
    if system:
        messages.insert(0, Message(role="system", content=system))
    return Conversation(id="7", messages=tuple(messages))


@pytest.mark.parametrize("name", FORMATS)
@given(turns=st.lists(st.tuples(text, text), min_size=1, max_size=3), system=st.none() | text)
def test_a_conversation_comes_back_as_written(name, turns, system):
    layout = make("formats", name)
    whole = conversation(*[t for pair in turns for t in pair], system=system)
    row = layout.encode(whole)
    assert layout.decode(row, row["id"]) == whole


def test_problems_and_traces_are_read_and_never_written():
    read_only = sorted(set(kinds("formats")) - set(FORMATS))
    assert read_only == ["problems", "traces"]
    assert not any(hasattr(kinds("formats")[name].target, "encode") for name in read_only)
    row = {"question": "q", "reasoning": "r", "answer": "a", "gold": 72}
    [problem] = make("formats", "problems").read(row, "0")
    [trace] = make("formats", "traces", source="set").read(row, "0")
    assert (problem.question, problem.gold) == ("q", "72")
    assert trace.problem == problem
    assert (trace.completion.reasoning, trace.completion.text, trace.completion.model) == ("r", "a", "set")


@pytest.mark.parametrize("name", FORMATS)
def test_one_key_for_two_things_is_refused(name):
    first, second = [o for o in kinds("formats")[name].options.model_fields if o != "kind" and not o.endswith("_tag")][
        :2
    ]
    with pytest.raises(UserError, match=f"`{first}` and `{second}` have one key, `x`"):
        make("formats", name, **{first: "x", second: "x"}).check()


def test_the_layouts_look_as_their_tools_expect():
    whole = conversation("q", "a", system="s")
    assert make("formats", "sharegpt").encode(whole) == {
        "id": "7",
        "system": "s",
        "conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}],
    }
    assert make("formats", "openai").encode(whole) == {
        "id": "7",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "a"},
        ],
    }
    assert make("formats", "alpaca").encode(whole) == {
        "id": "7",
        "instruction": "q",
        "input": "",
        "output": "a",
        "system": "s",
        "history": [],
    }


@pytest.mark.parametrize("pair", [("user", "assistant"), ("human", "gpt")])
def test_sharegpt_reads_both_usual_pairs_of_roles(pair):
    row = {"conversations": [{"from": pair[0], "value": "q"}, {"from": pair[1], "value": "a"}]}
    assert make("formats", "sharegpt").decode(row, "7") == conversation("q", "a")


BAD = [
    ("sharegpt", {"messages": []}, "conversations: is missing; keys here: messages"),
    ("sharegpt", {"conversations": "text"}, "conversations: expected a list, found str"),
    ("sharegpt", {"conversations": []}, "expected user and assistant in turn"),
    ("sharegpt", {"conversations": ["q"]}, r"conversations\[0\]: expected an object"),
    ("sharegpt", {"conversations": [{"from": "user"}]}, r"conversations\[0\]\.value: is missing"),
    ("sharegpt", {"conversations": [{"from": "user", "value": 3}]}, r"\[0\]\.value: expected text, found int"),
    ("sharegpt", {"conversations": [{"from": "bot", "value": "a"}]}, r"\[0\]\.from: expected one of .*found `bot`"),
    ("sharegpt", {"conversations": [{"from": "user", "value": "q"}]}, "ending with assistant"),
    ("sharegpt", {"conversations": [], "tools": "[]x"}, "tool descriptions"),
    ("openai", {"conversations": []}, "messages: is missing"),
    ("alpaca", {"instruction": "q"}, "output: is missing"),
    ("alpaca", {"instruction": "q", "output": None}, "output: expected text, found NoneType"),
    ("alpaca", {"instruction": "q", "output": "a", "history": [["x"]]}, r"history\[0\]: expected"),
]


@pytest.mark.parametrize(("name", "row", "message"), BAD)
def test_a_bad_row_names_key_expected_and_found(name, row, message):
    with pytest.raises(ValueError, match=message):
        make("formats", name).decode(row, "7")


def test_alpaca_joins_instruction_and_input_as_llama_factory_does():
    row = {"instruction": "Add.", "input": "1 1", "output": "2"}
    assert make("formats", "alpaca").decode(row, "7").messages[0].content == "Add.\n1 1"


KNOWN_KEYS = {
    "entry": {
        *("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name", "formatting"),
        *("ranking", "subset", "split", "folder", "num_samples", "columns", "tags", "local_path"),
    },
    "columns": {"prompt", "query", "response", "history", "messages", "system", "tools"},
    "tags": {"role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"},
}
"""What the documentation of openMind and LLaMA-Factory lists for text sets."""


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "prompt_completion"])  # TRL's
@pytest.mark.parametrize("system", [None, "s"])
def test_a_written_set_keeps_the_rules_of_openmind_and_llama_factory(name, system):
    layout = make("formats", name)
    entry = layout.entry("x.json")
    assert set(entry) <= KNOWN_KEYS["entry"]
    assert set(entry["columns"]) <= KNOWN_KEYS["columns"]
    assert set(entry.get("tags", {})) <= KNOWN_KEYS["tags"]
    # Both know only these two layouts under `formatting` in every release.
    assert entry["formatting"] in ("alpaca", "sharegpt")
    row = layout.encode(conversation("q1", "a1", "q2", "a2", system=system))
    # They index a row by every column that the entry names: a column that no row has is a KeyError there.
    assert set(entry["columns"].values()) <= set(row)
    if entry["formatting"] == "sharegpt":
        tags = entry["tags"]
        roles = [turn[tags["role_tag"]] for turn in row[entry["columns"]["messages"]]]
        turns = [role for role in roles if role != tags.get("system_tag")]
        assert turns == [tags["user_tag"], tags["assistant_tag"]] * 2
        assert "system" not in roles[1:], "a system prompt comes first or beside the turns"
    else:
        assert row[entry["columns"]["history"]] == [["q1", "a1"]]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("system", [None, "s"])
def test_a_written_set_is_read_back_by_its_own_entry(name, system, tmp_path):
    layout = make("formats", name)
    rows = [conversation("q1", "a1", system=system), conversation("q2", "a2", "q3", "a3", system=system)]
    (tmp_path / "x.json").write_text(json.dumps([layout.encode(row) for row in rows]))
    (tmp_path / "dataset_info.json").write_text(json.dumps({"x": layout.entry("x.json")}))
    found = list(open_catalog([tmp_path]).find("x").read_conversations())
    assert found == rows


def test_prompt_and_completion_are_turns_or_texts():
    whole, turns = conversation("q1", "a1", "q2", "a2", system="s"), make("formats", "prompt_completion")
    assert turns.encode(whole)["completion"] == [{"role": "assistant", "content": "a2"}]
    assert [turn["role"] for turn in turns.encode(whole)["prompt"]] == ["system", "user", "assistant", "user"]
    texts = make("formats", "prompt_completion", turns=False)
    assert texts.encode(whole) == {"id": "7", "prompt": "s\n\nq1\n\na1\n\nq2", "completion": "a2"}
    assert texts.decode(texts.encode(conversation("q", "a")), "7") == conversation("q", "a")
    assert texts.decode({"system": "s", "prompt": "q", "completion": "a"}, "7") == conversation("q", "a", system="s")
    assert texts.entry("x.json") == {
        **{"local_path": ".", "file_name": "x.json", "formatting": "alpaca"},
        "columns": {"prompt": "prompt", "response": "completion"},
    }


@given(turns=st.lists(st.tuples(text, text), min_size=1, max_size=3), system=st.none() | text)
def test_human_and_gpt_come_back_with_a_system_prompt_of_their_own(turns, system):
    layout = make("formats", "sharegpt", user_tag="human", assistant_tag="gpt")
    whole = conversation(*[t for pair in turns for t in pair], system=system)
    row = layout.encode(whole)
    assert {turn["from"] for turn in row["conversations"]} == {"human", "gpt"}
    assert layout.decode(row, "7") == whole
