"""Chain-of-thought distillation from one YAML recipe: teacher, filter, student, measured."""

__version__ = "0.1.0"
