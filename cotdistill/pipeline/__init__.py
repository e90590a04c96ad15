"""Runs a recipe: which steps are done, what they read, where their rows go."""
