"""The process of Math-Verify; what would hang, swell or kill it is tried in tests/engines/test_limited.py."""

import pytest

from cotdistill.errors import UserError
from cotdistill.verifiers import cpu_s
from cotdistill.verifiers._math_process import compare, require_math_verify

TOWER = "9^{9^{9^{9}}}"


def outcome(gold="x+1", answer="1+x", *, timeout_s=3.0, memory_mb=1024):
    return compare(gold, answer, timeout_s=timeout_s, memory_mb=memory_mb)[0]


def test_a_tower_of_powers_costs_its_limit_and_not_the_next_comparison():
    outcome()
    before = cpu_s()
    assert compare(TOWER, "1+x", timeout_s=0.3, memory_mb=1024) == ("error", "takes more than 0.3 s of CPU time")
    assert 0.3 <= cpu_s() - before < 1
    assert outcome() == "correct"


def test_memory_is_limited_for_each_comparison():
    matrix = "\\begin{pmatrix} " + " \\\\ ".join(["1 & 2 & 3 & 4"] * 30) + " \\end{pmatrix}"
    assert outcome(matrix, matrix.replace("pmatrix", "bmatrix"), memory_mb=16) in ("error", "unparsed", "wrong")
    assert outcome(matrix, matrix.replace("pmatrix", "bmatrix")) == "correct"


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    require_math_verify.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Math-Verify is not installed \(pip install 'cotdistill\[math\]'\)"):
        require_math_verify()
    require_math_verify.cache_clear()
