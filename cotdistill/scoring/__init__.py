"""What a set of graded answers allows to say: intervals and paired tests."""
