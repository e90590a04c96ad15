import pytest

from cotdistill.records import Equations
from cotdistill.report.tally import answer_of, tally
from cotdistill.scoring.statistics import wilson
from tests.support.exams import answer


def counted(*scores, has_clusters=True):
    return tally([answer_of(score, has_clusters=has_clusters) for score in scores])


def test_every_way_to_end_is_counted_apart():
    found = counted(
        answer("a", "1", tokens=4, thought="closed"),
        answer("a", "2", "wrong", tokens=8, thought="forced"),
        answer("a", "3", "unparsed", status="truncated", tokens=12, thought="unclosed"),
        answer("a", "4", "error", tokens=0),
    )
    assert (found.n, found.problems, found.right, found.unparsed, found.errors) == (4, 4, 1, 1, 1)
    assert (found.truncated, found.unclosed, found.forced) == (1, 1, 1)
    assert found.accuracy == 0.25
    assert found.ci95 == pytest.approx(wilson(1, 4))
    assert found.mean_tokens == 6
    assert found.share(found.truncated) == 0.25
    assert (found.maj_at_k, found.pass_at_k, found.groups, found.language) == (None, {}, {}, None)


def test_nothing_asked_is_not_an_accuracy_of_zero():
    found = tally([])
    assert (found.n, found.accuracy, found.ci95, found.mean_tokens, found.share(0)) == (0, None, None, None, None)


def test_tokens_have_a_mean_and_a_95th_percentile():
    found = counted(*(answer("a", str(i), tokens=i + 1) for i in range(100)))
    assert found.tokens == (50.5, 95)
    assert counted(answer("a", "1", tokens=0)).tokens is None


def test_several_attempts_have_maj_and_pass_and_a_wider_interval():
    scores = [answer("a", str(p), "correct" if p < 30 else "wrong", index=i) for p in range(60) for i in range(4)]
    found = counted(*scores)
    assert (found.n, found.problems, found.attempts) == (240, 60, 4)
    assert found.maj_at_k == 0.5
    assert found.pass_at_k == {1: 0.5, 2: 0.5, 4: 0.5}
    assert found.ci95.high - found.ci95.low > 1.8 * (wilson(120, 240).high - wilson(120, 240).low)


def test_groups_are_told_apart_and_share_the_questions_after_their_name():
    scores = [
        answer("m", f"{group}/{i}", "correct" if i else "wrong", group=group)
        for group in ("de", "fr")
        for i in range(5)
    ]
    found = counted(*scores)
    assert {group: part.n for group, part in found.groups.items()} == {"de": 5, "fr": 5}
    assert found.estimate.clusters == 5
    assert counted(*scores, has_clusters=False).estimate.clusters == 10
    assert found.groups["de"].estimate.clusters == 5


def test_the_share_of_answers_whose_every_equation_holds():
    found = counted(
        answer("a", "1", equations=Equations(stated=2, held=2)),
        answer("a", "2", equations=Equations(stated=2, held=1)),
        answer("a", "3", equations=None),
    ).equations
    assert (found.answers, found.all_hold, found.stated, found.held, found.share) == (2, 1, 4, 3, 0.5)
    assert counted(answer("a", "1", equations=None)).equations is None


def test_the_share_that_thinks_in_the_questions_language():
    scores = [
        answer("m", f"{g}/{i}", group=g, language=s)
        for i, (g, s) in enumerate([("de", "de"), ("fr", "en"), ("de", "")])
    ]
    found = counted(*scores).language
    assert (found.known, found.counts, found.own) == (2, {"de": 1, "en": 1}, 0.5)
    subject = counted(answer("mmlu", "1", group="anatomy", language="en")).language
    assert subject.own is None


def test_clean_questions_are_counted_apart():
    found = counted(answer("a", "1", learned_from="t9"), answer("a", "2", "wrong")).clean
    assert found == (1, 0.0)
    assert counted(answer("a", "1", learned_from="t9")).clean == (0, None)
