"""What is measured on a generator."""

from gumbel_gan.metrics.exact import exact_distances
from gumbel_gan.metrics.samples import distance_to_law

__all__ = ["distance_to_law", "exact_distances"]
