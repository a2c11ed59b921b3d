"""Side-by-side timings; each module prints the ratios of one run."""
