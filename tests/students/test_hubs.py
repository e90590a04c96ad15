"""Weights of other hubs than Hugging Face's: ModelScope's served on this machine, openMind's by a stand-in."""

import sys
import types
from pathlib import Path

import pytest

from cotdistill.errors import RecipeFault
from cotdistill.registry import make
from tests.support.modelscope_hub import COMMIT, ModelScopeHub
from tests.support.offline import cut_off

NAME = "models/Qwen/tiny"


@pytest.fixture
def hub(tmp_path, base, monkeypatch):
    with ModelScopeHub({NAME: Path(base)}) as served:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", served.url)
        monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
        yield served


@pytest.mark.parametrize(("revision", "asked"), [(None, "master"), (COMMIT, COMMIT)])
def test_weights_come_from_modelscope_at_their_revision(hub, tmp_path, revision, asked):
    student = make("students", "full", model="Qwen/tiny", hub="modelscope", revision=revision)
    folder = student.base(tmp_path, seed=1)
    assert Path(folder).is_dir()
    model = student.load(folder)
    assert model.num_parameters() > 0
    sent = len(hub.sent)
    assert {(name, at) for name, at, _ in hub.sent} == {(NAME, asked)}
    assert student.base(tmp_path, seed=1) == folder
    assert len(hub.sent) == sent, "what is in the cache is asked for again"


def test_a_model_that_modelscope_does_not_have_is_named(hub, tmp_path):
    with pytest.raises(RecipeFault, match=r"No/such cannot be read from modelscope: .*not found") as caught:
        make("students", "lora", model="No/such", hub="modelscope").base(tmp_path, seed=1)
    assert caught.value.where == "student.model"


def test_without_network_the_cache_serves(hub, tmp_path, monkeypatch):
    student = make("students", "full", model="Qwen/tiny", hub="modelscope")
    folder = student.base(tmp_path, seed=1)
    cut_off(monkeypatch)
    assert student.base(tmp_path, seed=1) == folder
    with pytest.raises(RecipeFault, match="cannot be reached"):
        make("students", "full", model="Qwen/other", hub="modelscope").base(tmp_path, seed=1)


def test_auto_asks_modelscope_where_hugging_face_cannot_be_reached(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    student = make("students", "full", model="Qwen/tiny")
    monkeypatch.setattr("cotdistill.students._pretrained.is_reachable", lambda name: True)
    assert student.base(tmp_path, seed=1) == "Qwen/tiny"
    monkeypatch.setattr("cotdistill.students._pretrained.is_reachable", lambda name: name == "modelscope")
    assert Path(student.base(tmp_path, seed=1)).is_dir()


def test_weights_come_from_openmind(tmp_path, base, monkeypatch):
    asked = []

    def snapshot_download(name, **options):
        asked.append((name, options))
        return str(base)

    module = types.ModuleType("openmind_hub")
    module.__spec__ = types.SimpleNamespace(name="openmind_hub")
    module.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "openmind_hub", module)
    monkeypatch.setattr("cotdistill.storage.hubs.is_reachable", lambda hub: True)
    assert make("students", "full", model="Baichuan/x", hub="openmind", revision="v1").base(tmp_path, seed=1) == str(
        base
    )
    (name, options), *_ = asked
    assert (name, options["revision"], options["repo_type"]) == ("Baichuan/x", "v1", "model")


def test_a_hub_whose_package_is_missing_is_named(monkeypatch):
    with pytest.raises(RecipeFault, match="the hub `openmind` needs the package openmind_hub") as caught:
        make("students", "full", model="Baichuan/x", hub="openmind").check()
    assert caught.value.where == "student.hub" and "pip install openmind_hub" in caught.value.hint


def test_a_folder_is_on_no_hub(base):
    with pytest.raises(RecipeFault, match="which is on no hub") as caught:
        make("students", "full", model=str(base), hub="modelscope").check()
    assert caught.value.where == "student.hub"
