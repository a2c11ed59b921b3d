"""Check of the latent, for algorithms with an encoder."""

import jax

from gumbel_gan.networks import Generator


def require_array_latent(**generators: Generator) -> None:
    """Raises ValueError unless the latent of each of the named generators is one array `[B, Z]`."""
    for name, generator in generators.items():
        sample_latent = generator.sample_latent
        if sample_latent is None:
            raise ValueError(f"{name} must have a latent to encode, got one without sample_latent")
        latent = jax.eval_shape(lambda key, sample=sample_latent: sample(key, 1), jax.random.key(0))
        shapes = [leaf.shape for leaf in jax.tree.leaves(latent)]
        if len(shapes) != 1 or len(shapes[0]) != 2:
            raise ValueError(f"{name} must have a latent that is one array [B, Z], got shapes {shapes} for B = 1")
