"""Whatever is wrong with a file or a registry: one line with file, line and key, exit code 2, no traceback."""

import re

import pytest

from tests.support.malformed import FILES, GOOD, REGISTRIES


def test_there_are_as_many_as_are_promised():
    assert len(FILES) >= 60
    assert len(REGISTRIES) >= 40


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file_is_one_line_and_exit_code_2(tmp_path, call, name):
    file_name, content, wanted = FILES[name]
    (tmp_path / file_name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = call("data", "check", file_name)
    said = out + err
    assert code == 2
    assert len(re.findall(rf"^.*(?:{wanted}).*$", said, re.MULTILINE)) == 1, said
    assert len([line for line in said.splitlines() if line.startswith(("error", "fault"))]) == 1, said


@pytest.mark.parametrize("name", REGISTRIES)
def test_a_malformed_registry_is_one_line_and_exit_code_2(tmp_path, call, name):
    text, wanted = REGISTRIES[name]
    (tmp_path / "empty").mkdir()
    (tmp_path / "p.jsonl").write_text(GOOD)
    (tmp_path / "dataset_info.json").write_text(text)
    code, out, err = call("data", "check", "x")
    said = out + err
    assert code == 2
    assert len(re.findall(rf"^.*(?:{wanted}).*$", said, re.MULTILINE)) == 1, said
    assert len([line for line in said.splitlines() if line.startswith(("error", "fault"))]) == 1, said
