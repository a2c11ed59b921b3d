"""Reads and compares finished runs: tables, figures and pages."""
