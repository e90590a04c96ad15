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


def write(folder, name, *questions):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"question": question}) + "\n" for question in questions))


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return a function that reads the questions of a folder `set`, named as a file is or with an entry."""
    monkeypatch.chdir(tmp_path)

    def questions(entry=None, *, name="set", split=None):
        if entry is not None:
            (tmp_path / "dataset_info.json").write_text(json.dumps({"p": {"formatting": "problems", **entry}}))
            name = "p"
        return [problem.question for problem in open_catalog([tmp_path]).find(name).read_problems(split=split)]

    return questions


def test_a_pattern_or_a_list_names_several_files_in_order(tmp_path, read):
    for name in ("b.jsonl", "a.jsonl", "deep/c.jsonl"):
        write(tmp_path / "set", name, name)
    (tmp_path / "set" / "notes.txt").write_text("no data")
    assert read({"file_name": "set/*.jsonl"}) == ["a.jsonl", "b.jsonl"]
    assert read({"local_path": "set", "file_name": "**/*"}) == ["a.jsonl", "b.jsonl", "deep/c.jsonl"]
    assert read({"local_path": "set", "file_name": ["b.jsonl", "deep/*"]}) == ["b.jsonl", "deep/c.jsonl"]
    assert read(name="set/[ab].jsonl") == ["a.jsonl", "b.jsonl"]
    assert read(name="set") == ["a.jsonl", "b.jsonl", "deep/c.jsonl"]


def test_a_file_that_a_list_names_twice_is_refused(tmp_path, read):
    write(tmp_path / "set", "a.jsonl", "q")
    with pytest.raises(UserError, match=r"set/a\.jsonl is named twice"):
        read({"local_path": "set", "file_name": ["a.jsonl", "*.jsonl"]})


def test_a_pattern_without_a_file_is_one_fault(tmp_path, read):
    with pytest.raises(UserError, match=r"no file at set/\*\.jsonl"):
        read(name="set/*.jsonl")


HUB_FOLDERS = [
    ("data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl", "data/test-00000-of-00001.jsonl"),
    ("train_a.jsonl", "train_b.jsonl", "test.jsonl"),
    ("main/train/a.jsonl", "main/train/b.jsonl", "main/test/c.jsonl"),
    ("my-Train.jsonl", "training.2.jsonl", "eval.jsonl"),
]


@pytest.mark.parametrize("names", HUB_FOLDERS, ids=lambda names: names[0])
def test_of_a_folder_with_splits_one_is_read(tmp_path, read, names):
    for name in names:
        write(tmp_path / "set", name, name)
    write(tmp_path / "set", ".cache/huggingface/train.jsonl", "hidden")
    write(tmp_path / "set", "dataset_infos.json", "about")
    assert read() == list(names[:2])
    assert read(split="test") == [names[2]]
    assert read({"local_path": "set", "split": "test"}) == [names[2]]
    with pytest.raises(UserError, match=r"has no split `validation`.*splits: .*train"):
        read(split="validation")


def test_shards_are_told_apart_by_their_own_names_of_splits(tmp_path, read):
    write(tmp_path / "set", "data/chat-00000-of-00001.jsonl", "chat")
    write(tmp_path / "set", "data/math-00000-of-00001.jsonl", "math")
    assert read(split="math") == ["math"]
    with pytest.raises(UserError, match=r"has no split `train`.*splits: chat, math"):
        read()


CARD = """---
license: mit
configs:
- config_name: all
  default: {default}
  data_files: [{{split: train, path: all/train-*}}]
- config_name: code
  data_files: code/*.jsonl
---
# A set
"""


def test_the_card_of_a_repository_says_what_is_a_subset(tmp_path, read):
    for name in ("all/train-0.jsonl", "code/train-0.jsonl"):
        write(tmp_path / "set", name, name)
    card = tmp_path / "set" / "README.md"
    card.write_text(CARD.format(default="true"))
    assert read() == ["all/train-0.jsonl"]
    assert read({"local_path": "set", "subset": "code"}) == ["code/train-0.jsonl"]
    card.write_text(CARD.format(default="false"))
    with pytest.raises(UserError, match=r"has several subsets .*subsets: all, code; set `subset`"):
        read()


def test_files_of_several_kinds_in_a_folder_are_refused(tmp_path, read):
    write(tmp_path / "set", "a.jsonl", "q")
    write(tmp_path / "set", "a.csv", "q")
    with pytest.raises(UserError, match=r"holds files of several kinds: \.csv, \.jsonl .*name those that are meant"):
        read()


def test_what_no_split_names_is_left_out_and_told(tmp_path, read, caplog):
    write(tmp_path / "set", "train.jsonl", "q")
    write(tmp_path / "set", "test.csv", "q")
    (tmp_path / "set" / "notes.json").write_text('{"about": "the set"}')
    assert read() == ["q"]
    assert "not read, since no split names them: notes.json" in caplog.text


def test_a_snapshot_in_the_cache_of_a_hub_links_to_its_blobs(tmp_path, read):
    cache = tmp_path / "hub" / "datasets--a--b"
    write(cache, "blobs/1f", "q")
    snapshot = cache / "snapshots" / "c0ffee" / "data"
    snapshot.mkdir(parents=True)
    (snapshot / "train-00000-of-00001.jsonl").symlink_to("../../../blobs/1f")
    assert read({"local_path": str(snapshot.parent)}) == ["q"]
    (snapshot / "train-00000-of-00001.jsonl").unlink()
    write(tmp_path, "secret.jsonl", "secret")
    (snapshot / "train-00000-of-00001.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(UserError, match="is outside the folder"):
        read({"local_path": str(snapshot.parent)})


def test_what_datasets_saved_to_disk_is_read_without_what_it_cached(tmp_path, read):
    datasets = pytest.importorskip("datasets")
    rows = {name: [{"question": f"{name} {number}"} for number in range(5)] for name in ("train", "test")}
    both = datasets.DatasetDict({name: datasets.Dataset.from_list(of) for name, of in rows.items()})
    both["train"].select([4, 2]).save_to_disk(str(tmp_path / "one"))
    both.save_to_disk(str(tmp_path / "set"), num_shards={"train": 2, "test": 1})
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    loaded["train"].map(lambda row: {"question": row["question"].upper()})
    assert any(path.name.startswith("cache-") for path in (tmp_path / "set").rglob("*.arrow"))
    assert read() == [row["question"] for row in rows["train"]]
    assert read(split="test") == [row["question"] for row in rows["test"]]
    assert read(name="one") == ["train 4", "train 2"]


def test_a_copy_of_a_hubs_repository_goes_before_the_hub(tmp_path, read):
    for name in ("main/train-00000-of-00001.jsonl", "main/test-00000-of-00001.jsonl", "other/train-0.jsonl"):
        write(tmp_path / "data" / "p", name, name)
    entry = {"hf_hub_url": "a/b", "subset": "main"}
    assert read(entry) == ["main/train-00000-of-00001.jsonl"]
    assert read({**entry, "split": "test"}) == ["main/test-00000-of-00001.jsonl"]
    write(tmp_path / "data", "p.jsonl", "file")
    assert read(entry) == ["file"]
    with pytest.raises(UserError, match="a file has no split `test`"):
        read(entry, split="test")
