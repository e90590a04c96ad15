import random

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.storage.ledger_index import FIRST_SLOTS, LedgerIndex

NAMES = st.integers(1, 2**64 - 1)


@given(st.lists(st.tuples(NAMES, st.integers(0, 2**63))))
def test_the_first_offset_of_a_name_stays(pairs):
    offsets, known = LedgerIndex(), {}
    for name, offset in pairs:
        offsets.add(name, offset)
        known.setdefault(name, offset)
    assert len(offsets) == len(known)
    assert {name: offsets.find(name) for name in known} == known


def test_names_that_want_the_same_slot_are_told_apart():
    names = [1 + n * FIRST_SLOTS for n in range(50)]
    offsets = LedgerIndex()
    for name in names:
        offsets.add(name, name * 2)
    assert [offsets.find(name) for name in names] == [name * 2 for name in names]
    assert offsets.find(1 + 50 * FIRST_SLOTS) is None


def test_it_grows_and_stays_under_48_bytes_a_record():
    offsets, random_names = LedgerIndex(), random.Random(1)
    names = [random_names.getrandbits(64) or 1 for _ in range(20_000)]
    for number, name in enumerate(names):
        offsets.add(name, number)
    assert all(offsets.find(name) == number for number, name in enumerate(names))
    assert 16 * len(offsets._names) <= 48 * len(offsets)
