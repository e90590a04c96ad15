"""Starts the training worker: devices, torchrun, exit codes."""
