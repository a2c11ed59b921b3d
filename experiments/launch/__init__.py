"""How runs are started on clusters: files to copy and change."""
