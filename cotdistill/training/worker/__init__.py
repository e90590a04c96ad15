"""The process that trains: the only room, beside students and losses, that imports torch at its top."""
