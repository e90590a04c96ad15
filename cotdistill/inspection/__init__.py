"""Data inspection: what is wrong with a data set, and what the student will see of it.

`data check` reads a whole set and reports faults (rows that cannot be used, or should not be) and warnings;
`data show` writes single rows token by token. Nothing here changes a file.
"""
