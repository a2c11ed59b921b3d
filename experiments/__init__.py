"""Runnable experiments with the library: commands that take flags and configs, and write files."""
