"""What a network has to be: records of pure functions. Your own need nothing else of this library, and no Flax."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

PyTree = Any
Params = Any
Carry = Any
Latent = Any
Condition = Any


class Generator(NamedTuple):
    """A generator: the logits of the next symbol, given the symbols before it, or of all symbols at once.

    Three functions are enough. The others are optional: what they compute is derived from `step` where they are None.

    `initial_carry`, `logits` and `hidden_states` take, as keyword arguments, what there is besides the symbols. Each is
    passed only where it exists, so that a plain network has none of them in its signature:

    - `latent`, a draw of `sample_latent`, where that is not None;
    - `condition`, a pytree with a leading axis of B, where sequences are generated from a condition;
    - `dropout_key`, a typed key, in training, where `uses_dropout` is true.

    Attributes:
      init: key -> params.
      initial_carry: (params, batch_size, length) -> the carry before the first symbol, for at most `length` steps. A
        carry is any pytree of arrays with any axes, such as a cache `[L, B, T, H]` with a scalar position. Its shapes
        and dtypes stay the same from step to step.
      step: (params, carry, x `[B, K + 1]`) -> (carry, logits `[B, K]`). x is the symbol before, one-hot or relaxed. Its
        last entry stands for the start symbol, K, which is the input of the first step. Logits may have any floating
        dtype, here and below: they are converted to float32.
      num_symbols: K, the size of the vocabulary, padding included.
      token_step: (params, carry, token `[B]`) -> (carry, logits `[B, K]`), the same for an integer symbol in [0, K],
        where that is cheaper than a one-hot product. None: `step` of the one-hot symbol.
      logits: (params, tokens `[B, T]`) -> `[B, T, K]`, teacher forcing in one pass: the logits at t given the start
        symbol and the tokens before t. None: a scan of the steps.
      hidden_states: (params, tokens `[B, T]`) -> (`[B, T, H]` hidden states, `[B, T, K]` logits) of teacher forcing,
        which Professor Forcing and pictures of hidden states look at. None: there are none to look at.
      hidden_size: H; None where `hidden_states` is.
      sample_latent: (key, batch_size) -> a pytree of arrays with a leading axis of B. None: there is no latent.
      uses_dropout: whether the network takes a `dropout_key` in training.
      independent_logits: (params, batch_size, length) -> `[B, T, K]`, the logits of all positions at once, where the
        symbols are independent of each other given the latent and the condition. It takes the keyword arguments above.
        With it, nothing is rolled out, and `step` only serves those who want the symbols one by one;
        `independent_generator` makes the whole record. None: the network is autoregressive.
      built_by: the function of this library that built the network, by name, and its arguments, from which a saved
        network is built again; None for a network of your own.
    """

    init: Callable[[jax.Array], Params]
    initial_carry: Callable[..., Carry]
    step: Callable[[Params, Carry, jax.Array], tuple[Carry, jax.Array]]
    num_symbols: int
    token_step: Callable[[Params, Carry, jax.Array], tuple[Carry, jax.Array]] | None = None
    logits: Callable[..., jax.Array] | None = None
    hidden_states: Callable[..., tuple[jax.Array, jax.Array]] | None = None
    hidden_size: int | None = None
    sample_latent: Callable[[jax.Array, int], Latent] | None = None
    uses_dropout: bool = False
    independent_logits: Callable[..., jax.Array] | None = None
    built_by: tuple[str, tuple[tuple[str, Any], ...]] | None = None


class Discriminator(NamedTuple):
    """A discriminator of whole sequences.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B]` logits d = log(D / (1 - D)), large for real sequences. It is told no
        length: padding is a symbol like the others. It takes the keyword arguments `condition` and `dropout_key` where
        they exist, as in `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
      pack_size: m, the number of sequences that it judges together, all real or all generated. Where it is more than 1,
        `logits` maps packs `[B / m, T, m K]`, with the symbols of the m sequences side by side at each position, to the
        logits `[B / m]` of the packs. Packs reveal mode collapse: the sequences of a generated pack resemble each other
        more than those of a real one. Only `relaxed_gan` takes such a discriminator. Lin et al. 2018,
        https://arxiv.org/abs/1712.04086.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[..., jax.Array]
    uses_dropout: bool = False
    pack_size: int = 1


class PrefixDiscriminator(NamedTuple):
    """A discriminator of all prefixes of a sequence at once.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B, T]` logits, at t of the first t symbols, large where real sequences begin
        so. It takes the keyword arguments `condition` and `dropout_key` where they exist, as in `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[..., jax.Array]
    uses_dropout: bool = False


class Encoder(NamedTuple):
    """An encoder of sequences, to a normal distribution of latents with independent components.

    Attributes:
      init: key -> params.
      moments: (params, x `[B, T, K]`) -> (mean `[B, Z]`, logarithm of the standard deviation `[B, Z]`) of the latent of
        each sequence, floating. It takes the keyword arguments `condition` and `dropout_key` where they exist, as in
        `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
    """

    init: Callable[[jax.Array], Params]
    moments: Callable[..., tuple[jax.Array, jax.Array]]
    uses_dropout: bool = False
