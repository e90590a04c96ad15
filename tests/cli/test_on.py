"""`--on ray`, as far as it needs no cluster."""

import json

import pytest

from cotdistill.engines import _ray_cluster

RECIPE = {"name": "t", "problems": {"dataset": "demo", "limit": 12}, "teacher": {"kind": "demo"}, "sample": {}}


@pytest.fixture
def work(tmp_path, call):
    """Run the command beside a recipe: its exit code, what it printed and what it complained of."""
    (tmp_path / "t.yaml").write_text(json.dumps(RECIPE))
    return call


@pytest.mark.parametrize("command", ["run", "sample", "filter", "convert", "train", "check"])
def test_without_ray_the_line_says_how_to_get_it(work, monkeypatch, command):
    monkeypatch.setattr(_ray_cluster.importlib.util, "find_spec", lambda name: None)
    code, out, err = work(command, "t.yaml", "--on", "ray")
    assert (code, out) == (2, "")
    assert err == "error: --on ray: Ray is not installed (pip install 'cotdistill[ray]')\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run t.yaml --on spark", "nothing works on `spark` (write `--on ray`"),
        ("run t.yaml --shards 3", "--shards: several shards at a time are sampled on a cluster alone (add `--on ray`)"),
        ("sample t.yaml --shard 0/2 --on ray", "one shard is sampled on this machine"),
        ("sample t.yaml --on ray --shards 0", "--shards"),
        ("evaluate t.yaml --on ray", "--on"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_begun(work, tmp_path, arguments, message):
    code, out, err = work(*arguments.split())
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()


def test_help_says_where_the_cluster_is_looked_for(work):
    _, text, _ = work("filter", "--help")
    assert "RAY_ADDRESS" in text
