"""What is said of a node that cannot take part."""

from pathlib import Path

import pytest

from cotdistill.engines._ray_cluster import fault_of
from cotdistill.engines._ray_task import installed
from cotdistill.errors import TryAgainLater

NODE = {"NodeManagerAddress": "10.0.0.7"}
GOOD = {"installed": installed(), "folder": True, "mark": True}


def test_a_node_with_the_same_installation_that_sees_the_folder_takes_part():
    assert fault_of(GOOD, NODE, Path("/runs")) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"missing": "No module named 'cotdistill'"}, "node 10.0.0.7 has not this package: No module named"),
        ({"installed": {**installed(), "Python": "3.12"}}, "node 10.0.0.7 has Python 3.12, this machine 3."),
        ({"installed": {**installed(), "cotdistill": "0.0.1"}}, "has cotdistill 0.0.1, this machine"),
        ({"installed": {**installed(), "the code of cotdistill": "x"}}, "has the code of cotdistill x, this"),
        ({"installed": {k: v for k, v in installed().items() if k != "pydantic"}}, "has no pydantic, this machine"),
        ({"mark": False}, "node 10.0.0.7 does not see the files of /runs (working directory and run folder must be on"),
        ({"folder": False}, f"node 10.0.0.7 does not see the files of {Path.cwd()}"),
    ],
)
def test_the_first_thing_that_a_node_lacks_is_named(said, message):
    fault = fault_of({**GOOD, **said}, NODE, Path("/runs"))
    assert message in str(fault)
    assert "\n" not in str(fault)


def test_a_node_that_cannot_be_asked_may_be_asked_later():
    assert isinstance(fault_of("its worker died", NODE, Path("/runs")), TryAgainLater)
