"""Studies: several runs that are trained and reported together."""
