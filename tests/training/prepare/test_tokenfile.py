"""Token rows on disk."""

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.losses import IGNORED
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, TokenRow
from cotdistill.training.prepare.tokenfile import TokenFile, Written, write_rows

names = st.text(st.characters())
parts = st.integers(GIVEN, ANSWER)
row = st.lists(st.tuples(st.integers(0, 2**32 - 1), parts), min_size=1, max_size=20).flatmap(
    lambda found: st.builds(TokenRow, st.just([i for i, _ in found]), st.just(bytes(part for _, part in found)), names)
)
rows = st.lists(row, min_size=1, max_size=9)


@given(rows)
def test_what_is_written_is_read_back_in_any_order(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tokens")
    written = write_rows(rows, folder)
    labels = [label for r in rows for label in r.labels]
    assert written == Written(len(rows), len(labels), sum(label != IGNORED for label in labels))
    file = TokenFile(folder)
    assert len(file) == len(rows)
    assert [file[n] for n in reversed(range(len(rows)))] == rows[::-1]
