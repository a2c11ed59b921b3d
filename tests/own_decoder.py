"""A user-defined generator without Flax: a decoder whose carry holds caches `[L, B, T, H]` and a scalar position."""

import jax
import jax.numpy as jnp

from gumbel_gan import Generator

NUM_LAYERS = 2


def decoder(num_symbols, width, max_length):
    def init(key):
        embed, positions, head, *layers = jax.random.split(key, 3 + NUM_LAYERS)

        def matrix(key, *shape):
            return jax.random.normal(key, shape) / jnp.sqrt(shape[0])

        def layer(key):
            shapes = {"q": (width, width), "k": (width, width), "v": (width, width)}
            shapes |= {"up": (width, 2 * width), "down": (2 * width, width)}
            keys = jax.random.split(key, len(shapes))
            return {name: matrix(key, *shape) for key, (name, shape) in zip(keys, shapes.items(), strict=True)}

        return {
            "embed": matrix(embed, num_symbols + 1, width),
            "positions": matrix(positions, max_length, width),
            "head": matrix(head, width, num_symbols),
            "layers": [layer(key) for key in layers],
        }

    def initial_carry(params, batch_size, length):
        if length > max_length:
            raise ValueError(f"length must be at most {max_length}, got {length}")
        cache = jnp.zeros((NUM_LAYERS, batch_size, length, width))
        return {"keys": cache, "values": cache, "position": jnp.int32(0)}

    def step(params, carry, x):
        position = carry["position"]
        h = x @ params["embed"] + jax.lax.dynamic_index_in_dim(params["positions"], position)
        keys, values = carry["keys"], carry["values"]
        seen = jnp.arange(keys.shape[2]) <= position
        for number, layer in enumerate(params["layers"]):
            normal = h / jnp.sqrt(jnp.mean(h**2, axis=-1, keepdims=True) + 1e-6)
            keys = keys.at[number, :, position].set(normal @ layer["k"])
            values = values.at[number, :, position].set(normal @ layer["v"])
            scores = jnp.einsum("bh,bth->bt", normal @ layer["q"], keys[number]) / jnp.sqrt(width)
            attention = jax.nn.softmax(jnp.where(seen[None], scores, -1e9))
            h = h + jnp.einsum("bt,bth->bh", attention, values[number])
            h = h + jax.nn.gelu(h @ layer["up"]) @ layer["down"]
        return {"keys": keys, "values": values, "position": position + 1}, h @ params["head"]

    return Generator(init, initial_carry, step, num_symbols)
