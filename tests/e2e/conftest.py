import sys

import pytest

from cotdistill.cli import main


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run a command in this process: its exit code, what it printed and what it complained of."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["cotdistill-cli", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run
