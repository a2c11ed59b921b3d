"""What a config means: read, checked and built."""
