"""Rewards that a function on the host computes from decoded sequences, inside compiled steps."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_callable, require_integers

PropertyReward = Callable[[jax.Array], jax.Array]


def host_reward(
    function: Callable[..., Any], decode: Callable[[np.ndarray], Iterable[str]], *, tag: ArrayLike | None = None
) -> PropertyReward:
    """Builds a reward of whole sequences from a function of their strings, which is called on the host.

    The reward may be jitted, scanned and vmapped. JAX treats it as a pure function: `function` must return the same
    numbers for the same strings, and JAX may call it more often or in another order than the program does. `function`
    must not call JAX. Under `vmap` it is called once for each entry of the mapped axis.

    Args:
      function: maps N strings to N numbers, such as a `Scorer`.
      decode: maps `[N, T]` tokens, a NumPy array, to N strings, such as `Task.decode`.
      tag: an integer scalar, which may be traced or mapped, passed to `function` as its second argument, such as the
        index of a seed under `vmap`. None: `function` takes the strings only.

    Returns:
      A function that maps `[N, T]` tokens to `[N]` float32 rewards. No gradient flows through it.

    Raises:
      TypeError: `function` or `decode` is not callable.
      ValueError: when the reward is computed, if `function` does not return N numbers, or one of them is not finite in
        float32.

    >>> reward = host_reward(lambda strings: [float(each) for each in strings], lambda tokens: map(str, tokens[:, 0]))
    >>> jax.jit(reward)(jnp.array([[1], [2]])).tolist()
    [1.0, 2.0]
    """
    require_callable(function=function, decode=decode)
    tags = () if tag is None else (tag,)

    def on_host(tokens: Any, *tags: Any) -> np.ndarray:
        tokens_NT = np.asarray(tokens)
        num, length = tokens_NT.shape[-2:]
        lead = np.broadcast_shapes(tokens_NT.shape[:-2], *map(np.shape, tags))
        rows_LNT = np.broadcast_to(tokens_NT, (*lead, num, length)).reshape(-1, num, length)
        tags_L = [np.broadcast_to(np.asarray(each), lead).reshape(-1).tolist() for each in tags]
        rewards = [
            _numbers(function(list(decode(rows_NT)), *each), num)
            for rows_NT, *each in zip(rows_LNT, *tags_L, strict=True)
        ]
        return np.array(rewards, np.float32).reshape(*lead, num)

    def reward(tokens: jax.Array) -> jax.Array:
        require_integers(tokens=tokens)
        if tokens.ndim != 2:
            raise ValueError(f"tokens must be [N, T], got shape {tokens.shape}")
        types = jax.ShapeDtypeStruct(tokens.shape[:1], jnp.float32)
        return jax.pure_callback(on_host, types, jax.lax.stop_gradient(tokens), *tags, vmap_method="expand_dims")

    return reward


def _numbers(values: Any, num: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        numbers = np.asarray(values, np.float32)
    if numbers.shape != (num,):
        raise ValueError(f"function must return {num} numbers, one for each string, got shape {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"function must return finite numbers, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers
