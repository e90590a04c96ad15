"""A registry may come from others: what it names stays in its folder."""

import json

import pytest

from cotdistill.data import DataOptions, open_catalog
from cotdistill.errors import UserError


@pytest.fixture
def find(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    monkeypatch.chdir(home)
    (tmp_path / "secret.jsonl").write_text('{"question": "secret"}')
    (home / "data" / "p.jsonl").write_text('{"question": "open"}')

    def found(entry, **options):
        (home / "dataset_info.json").write_text(json.dumps({"p": {"formatting": "problems", **entry}}))
        (problem,) = open_catalog([home], DataOptions(**options)).find("p").read_problems()
        return problem.question

    return found


OUT = [
    {"file_name": "../secret.jsonl"},
    {"local_path": "..", "file_name": "secret.jsonl"},
    {"local_path": "../secret.jsonl"},
    {"local_path": "data/../..", "file_name": "secret.jsonl"},
    {"local_path": "data", "file_name": "link.jsonl"},
    {"local_path": "linked", "file_name": "secret.jsonl"},
    {"local_path": "folder"},
]


@pytest.mark.parametrize("entry", OUT, ids=str)
def test_a_path_or_link_that_leads_out_is_refused_unless_the_recipe_allows_it(tmp_path, find, entry):
    home = tmp_path / "home"
    (home / "data" / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (home / "linked").symlink_to(tmp_path)
    (home / "folder").mkdir()
    (home / "folder" / "inner.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(UserError, match=r"dataset_info\.json:1: p: .* is outside the folder .*allow_outside"):
        find(entry)
    assert find(entry, allow_outside=True) == "secret"


def test_an_absolute_file_name_is_refused(tmp_path, find):
    with pytest.raises(UserError, match="is outside the folder"):
        find({"file_name": str(tmp_path / "secret.jsonl")})


def test_an_absolute_local_path_counts_as_allowed(tmp_path, find):
    assert find({"local_path": str(tmp_path), "file_name": "secret.jsonl"}) == "secret"
    assert find({"local_path": str(tmp_path / "secret.jsonl")}) == "secret"


def test_an_absolute_local_path_is_no_way_to_other_folders(tmp_path, find):
    (tmp_path / "own").mkdir()
    with pytest.raises(UserError, match="is outside the folder"):
        find({"local_path": str(tmp_path / "own"), "file_name": "../secret.jsonl"})


def test_what_is_not_there_outside_is_refused_alike(find):
    with pytest.raises(UserError, match="is outside the folder"):
        find({"file_name": "../nothing.jsonl"})


@pytest.mark.parametrize("entry", [{"local_path": "data", "file_name": "p.jsonl"}, {"local_path": "data"}], ids=str)
def test_a_file_or_a_folder_inside_is_read(find, entry):
    assert find(entry) == "open"


def test_a_copy_beside_the_registry_goes_before_the_hub(find):
    assert find({"hf_hub_url": "somebody/p", "hub_file": "p.jsonl"}) == "open"
