"""Property tests of the public functions, with valid and invalid arguments drawn by Hypothesis."""
