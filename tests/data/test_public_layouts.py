"""Every public layout is read as the same exchanges, by its columns alone or with an entry of a few lines."""

import pytest

from cotdistill.data import open_catalog
from cotdistill.records import Conversation, Problem
from cotdistill.think_tags import split_recorded
from tests.support.public_layouts import LAYOUTS
from tests.support.public_rows import SYSTEM, Exchange


def exchange(value):
    if isinstance(value, Problem):
        return Exchange(value.question, "", "", value.gold)
    if isinstance(value, Conversation):
        said = split_recorded(value.messages[-1].content)
        user = next(message.content for message in value.messages if message.role == "user")
        return Exchange(user, said.reasoning.strip(), untagged(said.text), None)
    said = value.completion
    return Exchange(value.problem.question, said.reasoning, untagged(said.text), value.problem.gold)


def untagged(text):
    return text.strip().removeprefix("<answer>").removesuffix("</answer>")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_public_layout_comes_to_the_same_exchanges(tmp_path, monkeypatch, layout):
    monkeypatch.chdir(tmp_path)
    layout.write(tmp_path)
    dataset = open_catalog([tmp_path]).find(layout.asked_as)
    assert dataset.entry.holds == layout.holds
    values = [value for _, value in dataset.read_samples()]
    assert [exchange(value) for value in values] == layout.expected
    systems = [
        message.content for value in values for message in getattr(value, "messages", ()) if message.role == "system"
    ]
    if "system" in layout.rows[0]:
        assert systems == [SYSTEM] * 3


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_public_layout_in_parquet_is_what_it_is_in_json(tmp_path, monkeypatch, layout):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.chdir(tmp_path)
    layout.write(tmp_path)
    table = pyarrow.Table.from_pylist(layout.rows)
    parquet.write_table(table, tmp_path / "x.parquet")
    named = open_catalog([tmp_path]).find(layout.asked_as)
    if layout.entry:
        registry = tmp_path / "dataset_info.json"
        registry.write_text(registry.read_text().replace(f"{layout.name}.jsonl", "x.parquet"))
    dataset = open_catalog([tmp_path]).find(layout.asked_as if layout.entry else "x.parquet")
    assert dataset.entry.formatting == named.entry.formatting
    assert [exchange(value) for _, value in dataset.read_samples()] == layout.expected


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if not one.entry], ids=lambda layout: layout.name)
def test_a_recognised_layout_that_is_added_reads_the_same(tmp_path, monkeypatch, layout):
    from cotdistill.data.adding import add_file

    monkeypatch.chdir(tmp_path)
    file = layout.write(tmp_path).name
    add_file(file, "mine", registry=tmp_path / "dataset_info.json")
    dataset = open_catalog([tmp_path]).find("mine")
    assert [exchange(value) for _, value in dataset.read_samples()] == layout.expected
