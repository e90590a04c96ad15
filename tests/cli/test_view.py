"""`show` on the terminal and the messages of `view`: what is missing, in use or mistaken for a run is one plain line."""

import json
import socket
import sys

import pytest

from tests.support.viewed_run import completion, problem, trace, write_run


@pytest.fixture
def run(tmp_path):
    attack = "\x1b]0;owned\x07 \u202eabc [bold]no markup[/bold]"
    special = trace(77, of=problem(77, f"Question 77? {attack}"), text=f"{attack} 是。The answer is 77.")
    return write_run(tmp_path / "runs" / "small", extra=[special])


def test_show_prints_the_rows_that_are_asked_for(run, call):
    code, out, err = call("show", run, "--stage", "filter", "--reason", "wrong", "--arm", "main", "-n", "2")
    assert code == 0 and out.count("✗ wrong: found") == 2
    assert "p0/0 · filter · main" in out and "p3/0" in out and "dropped: wrong: found 1, gold 0; answer" in out
    for part in ("Question", "Thinking", "Answer", "So there are some. The answer is 1.", "10 tokens asked"):
        assert part in out
    assert "there are more: `-n 4`" in err


def test_show_wraps_and_makes_control_characters_visible(run, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = call("show", run, "--id", "p77")
    assert code == 0 and max(map(len, out.splitlines())) <= 40
    assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out
    assert "\\x1b]0;owned\\x07" in out and "\\u202e" in out and "[bold]no markup[/bold]" in " ".join(out.split())


def test_show_as_json_has_the_whole_row_and_where_it_stands(run, call):
    code, out, _ = call("show", run, "--json", "--search", "question 7:", "--arm", "all")
    (row,) = json.loads(out)
    assert code == 0 and row["where"] == "arms/all/2-filter/rows.jsonl:8"
    assert row["row"]["completion"] == json.loads(completion(7).model_dump_json())
    assert row["arms"] == ["all"] and row["cost_usd"] == pytest.approx(224e-6)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (
            ["--stage", "evaluate", "--task", "exam", "--verdict", "correct", "-n", "1"],
            "p100/0 · exam · evaluate · main",
        ),
        (["--stage", "convert", "-n", "1"], "assistant"),
        (["--stage", "sample", "--reason", "failed"], "dropped: failed: HTTP 400: too long"),
        (["--stage", "train", "--reason", "overlong"], "5210 tokens > 4096"),
        (["--reason", "kept", "-n", "1"], "✓ correct: found 1, gold 1"),
    ],
)
def test_show_reads_every_stage(run, call, arguments, part):
    code, out, err = call("show", run, *arguments)
    assert code == 0 and part in out, err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stage", "filtr"], "has no stage `filtr` (did you mean `filter`?)"),
        (["--arm", "mian"], "has no arm `mian` (did you mean `main`?)"),
        (["--reason", "wrnog"], "no row is dropped for `wrnog` (did you mean `wrong`?)"),
        (["--reason", "refusal"], "`filter` has no row that is asked for"),
    ],
)
def test_what_show_cannot_find_is_one_line(run, call, arguments, says):
    code, out, err = call("show", run, *arguments)
    assert code == 2 and says in err and not out and "Traceback" not in err


def test_a_damaged_line_is_named(run, call):
    path = run / "2-filter/rows.jsonl"
    path.write_text(path.read_text() + "{oh\n")
    code, _, err = call("show", run, "--reason", "kept", "-n", "100", "--arm", "main")
    assert code == 2 and "2-filter/rows.jsonl:10: is no row" in err


def test_a_recipe_and_a_name_stand_for_their_run(run, call, tmp_path):
    (tmp_path / "r.yaml").write_text("name: small\nproblems: {dataset: demo}\n")
    for named in ("r.yaml", "small", "runs/small"):
        code, out, err = call("show", named, "-n", "1")
        assert code == 0 and "p1/0" in out, err


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("smal", "smal: is missing (did you mean `small`?)"),
        ("other.yaml", "its run, runs/other, is missing (first: cotdistill-cli run other.yaml)"),
        ("nameless.yaml", "its run, runs/nameless, is missing (first: cotdistill-cli run nameless.yaml)"),
        ("runs/small/2-filter", "is no run folder: it has no arms.json"),
        ("runs/small/2-filter/rows.jsonl", "is no run's folder"),
        ("torn", "arms.json"),
    ],
)
@pytest.mark.parametrize("command", ["show", "view"])
def test_what_is_no_run_is_one_line(run, call, tmp_path, command, named, says):
    (tmp_path / "other.yaml").write_text("name: other\n")
    (tmp_path / "nameless.yaml").write_text("seed: 1\n")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/arms.json").write_text('{"arms": [')
    code, _, err = call(command, named)
    assert code == 2 and says in err and err.count("\n") == 1


def test_view_without_any_run_says_where_it_looked(call, tmp_path):
    code, _, err = call("view")
    assert code == 2 and "runs: is missing" in err
    (tmp_path / "runs").mkdir()
    code, _, err = call("view")
    assert code == 2 and "runs: has no run in it" in err


def test_view_without_its_packages_is_one_line_with_the_command(run, call, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = call("view", run)
    assert code == 2 and err == "error: view: needs starlette and uvicorn (pip install 'cotdistill[view]')\n"


def test_a_port_in_use_is_one_line(run, call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = call("view", run, "--port", port)
    assert code == 2 and f"--port: port {port} cannot be listened on" in err and not out


def test_view_exports_without_the_packages_of_its_server(run, call, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    code, out, err = call("view", run, "--export", "pages", "--limit", "5")
    assert code == 0 and out.startswith("pages/index.html"), err
    assert "rows are left out; `--limit 0` exports all" in err
    assert (tmp_path / "pages/index.html").is_file()
    code, _, err = call("view", run, "--export", "pages")
    assert code == 2 and "pages: is not empty" in err
