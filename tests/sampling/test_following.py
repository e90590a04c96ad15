"""The live line of files that others write."""

from cotdistill.client.costs import Prices
from cotdistill.sampling.following import followed
from cotdistill.sampling.meter import Meter
from cotdistill.storage.ledger import LedgerEntry, utc_now
from cotdistill.storage.ledger_line import ledger_line


def entry(number, received):
    usage = {"prompt_tokens": 10, "completion_tokens": 1_000_000}
    response = {"choices": [{"message": {"content": "72"}}], "usage": usage}
    return LedgerEntry(key="a" * 64, index=number, problem_id="p", response=response, received=received)


def test_answers_of_all_files_are_counted_and_what_is_new_is_paid(tmp_path):
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "not yet there.jsonl"]
    paths[0].write_bytes(ledger_line(entry(0, "2020-01-01T00:00:00.000+00:00")))
    paths[1].touch()
    meter, seen = Meter(4, 0, Prices(input=0, output=2), None), []

    def advance(done=1, /, *, total=None, note=None):
        seen.append((done, note))

    with followed(paths, meter, advance), paths[0].open("ab") as first, paths[1].open("ab") as second:
        first.write(ledger_line(entry(1, utc_now())))
        second.write(ledger_line(entry(2, utc_now())) + b'{"key": "half a li')
    assert sum(done for done, _ in seen) == 3
    assert (meter.stored, meter.done) == (1, 2)
    assert "$4" in seen[-1][1]
