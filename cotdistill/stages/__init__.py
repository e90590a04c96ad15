"""The verbs: one module, one stage, one section of the recipe, one folder of the run."""
