"""Finished runs, read and compared: tables, figures, pages."""
