"""Trains and measures one run, and keeps it in a folder."""
