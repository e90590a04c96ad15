"""What is asked: the recipe with its arms, and the plan of steps that follows from it."""
