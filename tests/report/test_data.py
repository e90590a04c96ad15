from cotdistill.report.data import Drop, StageReport


def test_a_waterfall_goes_in_the_order_asked_and_ends_at_what_was_kept():
    reasons = {"surplus": 30, "wrong": 20, "new_reason": 1, "truncated": 5}
    stage = StageReport(name="filter", folder="2-filter", is_finished=True, rows_in=100, rows_out=44, reasons=reasons)
    assert stage.waterfall == (
        Drop("truncated", 5, 95),
        Drop("wrong", 20, 75),
        Drop("surplus", 30, 45),
        Drop("new_reason", 1, 44),
    )
