"""The embedded teacher, its word problems and its tiny student: a whole run without a network, a key or a GPU."""
