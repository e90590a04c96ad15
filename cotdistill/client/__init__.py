"""OpenAI-compatible servers: an asynchronous client that loses nothing that was paid for."""
