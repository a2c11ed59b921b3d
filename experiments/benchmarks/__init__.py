"""Side-by-side timings; each module prints ratios from one run."""
