"""Sets of ModelScope, served on this machine."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.options import DataOptions
from cotdistill.errors import UserError
from tests.support.modelscope_hub import COMMIT, ModelScopeHub
from tests.support.offline import cut_off

NAME = "datasets/modelscope/gsm8k"


def rows(word, number=3):
    lines = [{"question": f"{word} {n}?", "answer": f"{n} + 1 = {n + 1}\n#### {n + 1}"} for n in range(number)]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    for subset in ("main", "socratic"):
        (folder / subset).mkdir(parents=True)
        for split in ("train", "test"):
            (folder / subset / f"{split}.jsonl").write_text(rows(f"{subset} {split}"))
    (folder / "gsm8k.py").write_text("raise SystemExit('code of a hub was run')\n")
    (folder / "dataset_infos.json").write_text("{}")
    return folder


@pytest.fixture
def hub(tmp_path, repository, monkeypatch):
    with ModelScopeHub({NAME: repository}) as served:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", served.url)
        monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        yield served


def problems(**options):
    catalog = open_catalog([], DataOptions(hub="modelscope"))
    return list(catalog.find("gsm8k").read_problems(**options))


def test_the_ready_set_is_read_from_modelscope(hub):
    found = problems()
    assert [problem.question for problem in found] == ["main train 0?", "main train 1?", "main train 2?"]
    assert [problem.gold for problem in found] == ["1", "2", "3"]
    assert "gsm8k.py" not in {path for _, _, path in hub.sent}, "a script is no data"


def test_a_split_is_taken_from_its_own_file(hub):
    assert [problem.question for problem in problems(split="test")] == [f"main test {n}?" for n in range(3)]


def test_what_was_downloaded_is_not_asked_for_again(hub, monkeypatch):
    problems()
    sent = len(hub.sent)
    assert sent and problems() and len(hub.sent) == sent
    cut_off(monkeypatch)
    assert len(problems()) == 3
    assert len(hub.sent) == sent


def test_a_revision_is_the_one_that_is_read(hub, tmp_path):
    entry = {"ms_hub_url": "modelscope/gsm8k", "subset": "main", "revision": COMMIT, "formatting": "problems"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"pinned": entry}))
    dataset = open_catalog([tmp_path], DataOptions(hub="modelscope")).find("pinned")
    assert len(list(dataset.read_problems())) == 3
    assert {revision for _, revision, _ in hub.sent} == {COMMIT}


def test_a_repository_that_is_not_there_is_named(hub):
    hub.repositories.clear()
    with pytest.raises(UserError, match=r"no hub could be read \(modelscope: .*not found"):
        problems()


def test_a_split_that_is_not_there_is_named(hub):
    with pytest.raises(UserError, match="has no split `dev`"):
        problems(split="dev")


def test_without_network_the_fault_says_which_file_to_put_where(hub, monkeypatch):
    cut_off(monkeypatch)
    with pytest.raises(UserError, match="cannot be reached") as caught:
        problems()
    assert f"{hub.url}/datasets/modelscope/gsm8k" in str(caught.value.hint)
