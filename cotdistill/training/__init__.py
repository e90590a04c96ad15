"""From conversations to weights: tokens are laid out here, the model learns in a worker process of its own."""
