"""From conversations to token files, before any worker starts."""
