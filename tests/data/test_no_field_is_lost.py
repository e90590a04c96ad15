"""A mark in any field of any layout comes to the student's tokens, to what its answers are judged by, or to a named loss."""

import json

import pytest

from cotdistill.data import BadRows, Catalog, open_catalog
from cotdistill.errors import UserError
from cotdistill.records import Completion, Conversation, Problem, Trace
from cotdistill.registry import make
from cotdistill.styles import conversation
from cotdistill.training.prepare.tokens import Encoder
from tests.support.public_layouts import LAYOUTS, Layout
from tests.support.public_rows import EXCHANGES, openai, sharegpt, sky, think

STYLE = make("styles", "think")
MARK, NUMBER = "Zebra", 918_273

TURNS = [
    {"role": "system", "content": "Think.", "name": "tutor"},
    {"role": "user", "content": "And first?", "name": "Ann"},
    {"role": "assistant", "content": "Seven.", "reasoning_content": "Three and four.", "weight": "0"},
    {"role": "user", "content": [{"type": "text", "text": "And 6 times 9?", "cache": "yes"}]},
    {
        **{"role": "assistant", "name": "tutor"},
        "content": [
            {"type": "thinking", "thinking": "Six nines.", "signature": "sig"},
            {"type": "text", "text": "It is 54.", "annotations": ["a"]},
        ],
    },
]
DEVELOPER = [{"from": "developer", "value": "Think.", "loss": 1}, *sharegpt("q", "a", roles=("human", "gpt"))]
OWN = (
    Layout("several_turns", "conversations", lambda _: {"messages": TURNS, "url": "u"}),
    Layout("several_turns_as_traces", "traces", lambda _: {"messages": TURNS, "url": "u"}, {"formatting": "traces"}),
    Layout("sharegpt_own", "conversations", lambda _: {"conversations": DEVELOPER, "kind": "chat"}),
    Layout(
        *("sharegpt_system", "conversations"),
        lambda e: {"system": "Think.", "tools": "", "conversations": sharegpt(e.user, think(e)), "id": "c1"},
    ),
    Layout("openai_system", "conversations", lambda e: {"system": "Think.", "messages": openai(e.user, sky(e))}),
    Layout(
        *("alpaca_whole", "conversations"),
        lambda e: {
            **{"instruction": e.user, "input": "12", "output": think(e), "system": "Think."},
            **{"history": [["Before?", "Yes."]], "reasoning": "more", "id": "a1"},
        },
    ),
    Layout(
        *("traces_whole", "traces"),
        lambda e: {
            **{"id": "t1", "system": "Think.", "question": e.user, "reasoning": e.reasoning, "answer": e.answer},
            **{"gold": e.gold, "source": "school", "meta": {"url": "u"}},
        },
    ),
    Layout(
        *("tagged_answer", "traces"),
        lambda e: {"question": e.user, "answer": f"{think(e)}<answer>{e.answer}</answer>"},
        {"formatting": "traces"},
    ),
    Layout("sky_traces", "traces", lambda e: {"question": e.user, "generations": [sky(e), sky(e)]}),
    Layout(
        *("choices", "problems"),
        lambda e: {"question": e.user, "choices": ["1", "2"], "answer": "B", "subject": "sums", "year": "2020"},
    ),
    Layout(
        *("rows_of_a_run", "traces"),
        lambda e: Trace(
            problem=Problem(id="p", question=e.user, gold=e.gold),
            completion=Completion(key="k", index=0, text=e.answer, reasoning=e.reasoning),
        ).model_dump(mode="json"),
    ),
)


def leaves(value, path=()):
    """Yield the paths of all texts, numbers and nulls of a row."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif not isinstance(value, bool):
        yield path


def marked(row, path, *, is_first):
    """Return the row with a mark at a path, and the mark: it begins or ends a text, and takes the place of all else."""
    row = json.loads(json.dumps(row))
    *before, last = path
    place = row
    for key in before:
        place = place[key]
    old = place[last]
    if isinstance(old, str) and old:
        place[last] = f"{MARK} {old}" if is_first else f"{old} {MARK}"
    else:
        place[last] = NUMBER if isinstance(old, int | float) else MARK
    return row, str(NUMBER) if isinstance(old, int | float) else MARK


def named(path):
    """Return the name of a field as messages have it: `messages[].info`."""
    return "".join("[]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def written(value):
    if isinstance(value, Conversation):
        return value
    if isinstance(value, Problem):
        value = Trace(problem=value, completion=Completion(key="k", index=0, text="a"))
    return conversation(STYLE, value)


def test_marks_are_put_everywhere_they_can_be():
    row = {"a": "x", "b": [{"c": 1}, None], "d": True}
    assert [named(path) for path in leaves(row)] == ["a", "b[].c", "b[]"]
    assert marked(row, ("a",), is_first=True)[0]["a"] == "Zebra x"


@pytest.mark.parametrize("layout", [*LAYOUTS, *OWN], ids=lambda layout: layout.name)
def test_no_field_is_lost_without_a_word(tmp_path, monkeypatch, tokenizer, layout):
    monkeypatch.chdir(tmp_path)
    row, encoder = layout.row(EXCHANGES[0]), Encoder(tokenizer)
    layout.write(tmp_path, [row])
    catalog = open_catalog([tmp_path]) if layout.entry else Catalog(())
    assert list(catalog.find(layout.asked_as).read_samples()), "what cannot be read at all loses nothing in silence"
    lost = []
    for path in leaves(row):
        # Before four hashes stands the working of what is right, which nobody learns.
        for is_first in (False,) if "####" in str(row[path[0]]) else (True, False):
            changed, mark = marked(row, path, is_first=is_first)
            layout.write(tmp_path, [changed])
            bad, said, values = BadRows(), "", []
            try:
                values = [sample.value for sample in catalog.find(layout.asked_as).read_samples(bad=bad)]
            except UserError as fault:
                said = str(fault)
            conversations = [written(value) for value in values]
            tokens = [row.input_ids for row in encoder.encode(conversations)] if conversations else []
            # What an answer is judged, numbered and grouped by is no text of the student's.
            beside = {"messages": True, "completion": {"text", "reasoning"}}
            judged = [value.model_dump_json(exclude=beside) for value in values]
            is_found = mark in " ".join([*map(tokenizer.decode, tokens), *judged])
            is_told = said or any(named(path).startswith(name) for name in bad.unread)
            if not (is_found or is_told):
                lost.append(f"{named(path)} {'first' if is_first else 'last'}: {bad.unread_said} {said}")
    assert not lost
