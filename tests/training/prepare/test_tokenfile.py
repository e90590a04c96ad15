"""Token rows on disk."""

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.training.prepare.tokenfile import TokenFile, Written, write_rows
from cotdistill.training.prepare.tokens import TokenRow

tokens = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20)
names = st.text(st.characters())
row = tokens.flatmap(lambda found: st.builds(TokenRow, st.just(found), st.integers(0, len(found)), names))
rows = st.lists(row, min_size=1, max_size=9)


@given(rows)
def test_what_is_written_is_read_back_in_any_order(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tokens")
    written = write_rows(rows, folder)
    assert written == Written(
        len(rows), sum(len(r.input_ids) for r in rows), sum(len(r.input_ids) - r.prompt_length for r in rows)
    )
    file = TokenFile(folder)
    assert len(file) == len(rows)
    assert [file[n] for n in reversed(range(len(rows)))] == rows[::-1]
