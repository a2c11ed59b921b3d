"""Random parameters, for tests that do not depend on the initialization of a network."""

import jax
import jax.numpy as jnp
import numpy as np


def random_params(init, seed=0):
    """Draws parameters with the shapes and dtypes of `init(key)`, with NumPy, since `init` takes seconds to compile.

    Biases and scales are random, too, so that each parameter affects the output.
    """
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(init, jax.random.key(0))
    scales = jax.tree.map(lambda leaf: 1.0 if len(leaf.shape) < 2 else leaf.shape[0] ** -0.5, shapes)
    return jax.tree.map(
        lambda leaf, scale: jnp.asarray(scale * rng.standard_normal(leaf.shape), leaf.dtype), shapes, scales
    )
