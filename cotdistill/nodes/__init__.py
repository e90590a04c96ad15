"""Several machines at one training: which of them this is, and what they tell each other."""
