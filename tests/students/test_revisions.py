"""A model of a hub at a revision: its weights, its code and its tokenizer are those of that commit."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from cotdistill.storage.keys import weights_fingerprint
from tests.support.tiny_student import student_options
from tests.support.weights import read_weights

OLD, NEW = "a1" * 20, "b2" * 20
MODELING = """\
from transformers import Qwen2Config, Qwen2ForCausalLM

class OwnConfig(Qwen2Config):
    model_type = "own"

class Own(Qwen2ForCausalLM):
    config_class = OwnConfig
    said = "%s"
"""
ASKED = """\
import asyncio, sys
from cotdistill.client.concurrency import SendGate
from cotdistill.registry import make
from cotdistill.training.prepare.tokens import load_tokenizer

model, revision, saved = sys.argv[1:]
student = make("students", "full", model=model, revision=revision, trust_remote_code=True)
student.check()
loaded = student.load(model)
tokenizer = load_tokenizer(model, template=None, origin=student.origin)
loaded.save_pretrained(saved)
tokenizer.save_pretrained(saved)

async def opened(sampler):
    async with sampler.session(SendGate()):
        return sampler.identity

identities = [asyncio.run(opened(student.sampler(checkpoint, batch_size=1))) for checkpoint in (model, saved)]
print(loaded.said, *identities)
"""


@pytest.fixture
def hub(tmp_path, tokenizer_folder):
    """A hub's cache with two commits of one model, whose code and weights differ; the main branch is the newer."""
    repository = tmp_path / "hub" / "models--owner--name"
    for seed, commit in enumerate((OLD, NEW)):
        base = student_options(tokenizer_folder).build().base(tmp_path / "base", seed=seed)
        snapshot = shutil.copytree(base, repository / "snapshots" / commit)
        config = json.loads((snapshot / "config.json").read_text())
        names = {"AutoConfig": "modeling.OwnConfig", "AutoModelForCausalLM": "modeling.Own"}
        (snapshot / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": names}))
        (snapshot / "modeling.py").write_text(MODELING % commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(NEW)
    return tmp_path / "hub"


@pytest.mark.slow
def test_code_weights_and_tokenizer_are_those_of_the_revision_before_and_after_training(hub, tmp_path):
    places = {"HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "modules")}
    saved = tmp_path / "saved"
    command = [sys.executable, "-c", ASKED, "owner/name", OLD, str(saved)]
    result = subprocess.run(command, env=os.environ | places, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    said, before, after = result.stdout.splitlines()[-1].split()
    assert said == OLD
    assert before == f"owner/name@{OLD}"
    assert after == weights_fingerprint(saved)
    old, new = (
        read_weights(hub / "models--owner--name" / "snapshots" / commit)["model.embed_tokens.weight"]
        for commit in (OLD, NEW)
    )
    found = read_weights(saved)["model.embed_tokens.weight"]
    assert (found == old).all()
    assert not (found == new).all()
