"""Token rows on disk."""

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.losses import IGNORED
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, RATIONALE, TokenRow
from cotdistill.training.prepare.tokenfile import TokenFile, Written, write_rows

names = st.text(st.characters())
tokens = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(GIVEN, ANSWER)), min_size=1, max_size=20)
row = st.tuples(tokens, names).map(
    lambda found: TokenRow([i for i, _ in found[0]], bytes(part for _, part in found[0]), found[1])
)
rows = st.lists(row, min_size=1, max_size=9)


@given(rows)
def test_what_is_written_is_read_back_in_any_order(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tokens")
    written = write_rows(rows, folder)
    labels = [label for r in rows for label in r.labels]
    rationale = sum(part == RATIONALE for r in rows for part in r.parts)
    assert written == Written(len(rows), len(labels), sum(label != IGNORED for label in labels), rationale)
    file = TokenFile(folder)
    assert len(file) == len(rows)
    assert [file[n] for n in reversed(range(len(rows)))] == rows[::-1]


def test_rows_come_with_the_weights_of_their_parts_where_parts_have_weights(tmp_path):
    write_rows([TokenRow([5, 6, 7], bytes([GIVEN, RATIONALE, ANSWER]), "a")], tmp_path)
    assert TokenFile(tmp_path)[0].weights is None
    assert TokenFile(tmp_path, part_weights=(0.25, 2.0))[0].weights == [0.0, 0.25, 2.0]
