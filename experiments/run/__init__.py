"""One run: trained, measured, and kept in a folder."""
