import random

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.places import FIRST_SLOTS, Places

NAMES = st.integers(1, 2**64 - 1)


@given(st.lists(st.tuples(NAMES, st.integers(0, 2**63))))
def test_the_first_offset_of_a_name_stays(pairs):
    places, known = Places(), {}
    for name, offset in pairs:
        places.add(name, offset)
        known.setdefault(name, offset)
    assert len(places) == len(known)
    assert {name: places.find(name) for name in known} == known


def test_names_that_want_the_same_slot_are_told_apart():
    names = [1 + n * FIRST_SLOTS for n in range(50)]
    places = Places()
    for name in names:
        places.add(name, name * 2)
    assert [places.find(name) for name in names] == [name * 2 for name in names]
    assert places.find(1 + 50 * FIRST_SLOTS) is None


def test_it_grows_and_stays_under_48_bytes_a_record():
    places, random_names = Places(), random.Random(1)
    names = [random_names.getrandbits(64) or 1 for _ in range(20_000)]
    for number, name in enumerate(names):
        places.add(name, number)
    assert all(places.find(name) == number for number, name in enumerate(names))
    assert 16 * len(places._names) <= 48 * len(places)
