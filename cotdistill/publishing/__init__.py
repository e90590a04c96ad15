"""Cards of data sets and students, for people who were not there."""
