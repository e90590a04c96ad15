import json

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.data.noted_row import NotedRow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=8,
)


def test_what_nobody_looked_at_has_a_name():
    row = NotedRow({"a": 1, "b": {"c": 2, "d": 3}, "e": [{"f": 4, "g": 5}, {"g": 6}], "h": 7, "i": None, "j": ""})
    assert (row["a"], row.get("b")["c"], row["e"][0]["f"], row.get("none"), "h" in row) == (1, 2, 4, None, True)
    assert list(row.unread()) == ["b.d", "e[].g", "h"]


def test_what_is_given_out_whole_was_looked_at():
    row = NotedRow({"a": 1, "b": 2})
    assert dict(row.items()) == {"a": 1, "b": 2}
    assert not list(row.unread())


@given(st.dictionaries(st.text(), JSON))
def test_a_noted_row_is_the_row(row):
    noted = NotedRow(row)
    assert noted == row
    assert all(noted[key] == row[key] and noted.get(key) == row[key] for key in row)
    assert json.dumps(noted) == json.dumps(row)
