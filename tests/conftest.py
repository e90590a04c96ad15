"""Fixtures that every test may use."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cotdistill.cli import main
from tests.support.patience import HANGS_S
from tests.support.tiny_student import make_tokenizer, student_options

REPOSITORY = Path(__file__).parent.parent


def pytest_configure():
    """Let signals through: what runs in the background, or under nohup, inherits that they are ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # How fast the machine is says nothing of a property.
    settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any_machine")


@pytest.fixture
def repository():
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture
def cli():
    """Run the real command in a real process: `cli("run", "r.yaml", cwd=tmp_path)`."""

    def run(*arguments, cwd=None, env=None):
        return subprocess.run(
            [sys.executable, "-m", "cotdistill", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=HANGS_S,
            check=False,
        )

    return run


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run the command in this process, in tmp_path: its exit code, what it printed and what it complained of."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["cotdistill-cli", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory):
    """A folder with a tokenizer and nothing else."""
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def tokenizer(tokenizer_folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tokenizer_folder)


@pytest.fixture(scope="session")
def student(tokenizer_folder):
    """Options of the student, as a recipe gives them."""
    return student_options(tokenizer_folder)


@pytest.fixture(scope="session")
def base(student, tmp_path_factory):
    """Folder of the untrained student."""
    return student.build().base(tmp_path_factory.mktemp("base"), seed=1)
