"""A set read in blocks says what the set read row by row says: rows, bad rows and their order."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.bad_rows import BadRows
from cotdistill.data.dataset_rows import DatasetRows
from cotdistill.data.golds import Golds
from cotdistill.data.problem_set import ProblemOptions, load_problems
from cotdistill.data.stored_problems import whole_set
from cotdistill.engines.local import LocalEngine
from cotdistill.engines.rows import map_rows
from cotdistill.errors import UserError, UserErrors
from cotdistill.storage.encoded import encode
from tests.support.block_work import encoder


def row(number, **more):
    return {
        "id": f"p{number}",
        "question": f"What is {number}?",
        "reasoning": "So.",
        "answer": "é 7",
        "gold": "7",
        **more,
    }


ROWS = [row(number) for number in range(300)]
ROWS[3] = row(3, question="What is 2?")  # a question that another row asks
ROWS[5] = row(4, question="Another?")  # an id that another question has
ROWS[70] = {"question": "", "reasoning": "x", "answer": "y"}
ROWS[200] = row(4, question="A third?")
ROWS[201] = ["no object"]
LINES = [json.dumps(one, ensure_ascii=False) for one in ROWS]


def write(tmp_path, form):
    path = tmp_path / ("t.json" if form == "array" else "t.jsonl")
    if form == "array":
        path.write_text(json.dumps(ROWS))
        return path
    lines = [*LINES[:100], "", "{broken", *LINES[100:]]
    text = "\n".join(lines) if form == "no line end" else "\n".join([*lines, ""])
    if form == "crlf":
        text = text.replace("\n", "\r\n")
    path.write_bytes((b"\xef\xbb\xbf" if form == "byte order mark" else b"") + text.encode())
    return path


def said(bad):
    return [(one.fault.where, one.fault.message, one.text) for one in bad.found]


def dataset_of(path):
    entry = {"local_path": ".", "file_name": path.name, "formatting": "traces"}
    (path.parent / "dataset_info.json").write_text(json.dumps({"t": entry}))
    return open_catalog([path.parent]).find("t")


@pytest.mark.parametrize("form", ["lines", "array", "crlf", "byte order mark", "no line end"])
def test_blocks_hold_what_the_rows_hold(tmp_path, form, monkeypatch):
    monkeypatch.setattr("cotdistill.storage.blocks.BLOCK_BYTES", 5_000)
    dataset = dataset_of(write(tmp_path, form))
    one_by_one, in_blocks = BadRows(9), BadRows(9)
    traces = list(dataset.read_traces(bad=one_by_one))
    assert list(DatasetRows(dataset, "trace", bad=in_blocks)) == traces
    assert said(in_blocks) == said(one_by_one)
    assert len(traces) == 300 - len([fault for fault in said(in_blocks) if "JSON" not in fault[1]])
    one_by_one, in_blocks = BadRows(9), BadRows(9)
    problems = list(dataset.read_problems(bad=one_by_one))
    found = whole_set(dataset, Golds(), split=None, bad=in_blocks, by_row=False, engine=LocalEngine(1))
    assert list(found) == problems
    assert said(in_blocks) == said(one_by_one)


def test_workers_read_what_this_process_reads(tmp_path):
    dataset = dataset_of(write(tmp_path, "lines"))
    here, there = BadRows(9), BadRows(9)
    traces = list(map(encode, DatasetRows(dataset, "trace", bad=here)))
    rows = DatasetRows(dataset, "trace", bad=there)
    assert list(map_rows(LocalEngine(2, start_after_s=0), encoder, rows)) == traces
    assert said(there) == said(here)


def test_too_many_bad_rows_stop_the_reading(tmp_path):
    dataset = dataset_of(write(tmp_path, "lines"))
    with pytest.raises(UserErrors, match="expected an id of its own"):
        list(DatasetRows(dataset, "trace", bad=BadRows(2)))


def test_a_file_in_another_encoding_is_named_with_it(tmp_path):
    (tmp_path / "t.jsonl").write_bytes(json.dumps(row(1), ensure_ascii=False).encode("latin-1"))
    with pytest.raises(UserError, match=r"t\.jsonl"):
        list(DatasetRows(dataset_of(tmp_path / "t.jsonl"), "trace", bad=BadRows()))


@pytest.mark.parametrize("rows", ["num_samples", "object"])
def test_a_set_that_is_a_part_of_its_file_is_read_as_its_entry_says(tmp_path, rows):
    found = [row(n) for n in range(9)]
    if rows == "num_samples":
        (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, found)))
        entry = {"file_name": "t.jsonl", "num_samples": 4}
    else:
        (tmp_path / "t.jsonl").write_text(json.dumps({str(n): one for n, one in enumerate(found)}))
        entry = {"file_name": "t.jsonl", "is_object": True}
    entry |= {"local_path": ".", "formatting": "traces"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"t": entry}))
    dataset = open_catalog([tmp_path]).find("t")
    assert len(list(DatasetRows(dataset, "trace", bad=BadRows()))) == (4 if rows == "num_samples" else 9)


def test_problems_of_a_run_are_a_sequence_on_disk(tmp_path):
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps({"question": f"{n}?", "answer": "7"}) + "\n" for n in range(40))
    )
    options = ProblemOptions(dataset=str(tmp_path / "p.jsonl"), holdout=5)
    problems = load_problems(options, open_catalog([]), seed=1)
    everything = load_problems(options.model_copy(update={"holdout": 0}), open_catalog([]), seed=1).sampled
    assert (len(problems.sampled), len(problems.holdout), len(everything)) == (35, 5, 40)
    assert {*problems.sampled, *problems.holdout} == {*everything}
    assert [problem for problem in everything if problem in problems.holdout] == list(problems.holdout)
    assert list(problems.sampled[3:5]) == list(problems.sampled)[3:5]
    assert problems.sampled[-1] == list(problems.sampled)[-1]
    assert (everything.is_whole_set, problems.sampled.is_whole_set) == (True, False)
    with pytest.raises(IndexError):
        problems.sampled[35]


class ReadsOnly:
    """A format of another package, which knows `read` alone."""

    def __init__(self, layout):
        self.holds, self.check, self.columns, self.read = layout.holds, layout.check, layout.columns, layout.read


def test_a_format_without_outlines_is_read_whole_to_the_same_problems(tmp_path):
    path = write(tmp_path, "lines")
    found = []
    for is_whole in (False, True):
        dataset = dataset_of(path)
        if is_whole:
            dataset.__dict__["layout"] = ReadsOnly(dataset.layout)
        bad = BadRows(9)
        found.append((list(DatasetRows(dataset, "problem", bad=bad)), said(bad)))
    assert found[0] == found[1]
    assert len(found[0][0]) > 290 and found[0][1]
