"""Runnable experiments over the library: flags and configs in, files out."""
