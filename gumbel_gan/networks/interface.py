"""Interfaces of networks: records of pure functions. A network of your own needs only these, and no Flax."""

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

    `init`, `initial_carry` and `step` are required, the other functions optional. `token_step` and `logits` are derived
    from `step` if they are None.

    `initial_carry`, `logits` and `hidden_states` take inputs other than the symbols as keyword arguments. Each is
    passed only if it exists, so that the functions of a plain network need none of them:

    - `latent`, a draw of `sample_latent`, if `sample_latent` is not None;
    - `condition`, a pytree with a leading axis of B, if sequences are generated from a condition;
    - `dropout_key`, a typed key, in training, if `uses_dropout` is true.

    Attributes:
      init: key -> params.
      initial_carry: (params, batch_size, length) -> the carry before the first symbol, for at most `length` steps. A
        carry is any pytree of arrays with any axes, such as a cache `[L, B, T, H]` with a scalar position. Its shapes
        and dtypes must not change from step to step.
      step: (params, carry, x `[B, K + 1]`) -> (carry, logits `[B, K]`). x is the previous symbol, one-hot or relaxed.
        Its last entry stands for the start symbol, K, which is the input of the first step. Here and below, logits may
        have any floating dtype; they are converted to float32.
      num_symbols: K, the size of the vocabulary, padding included.
      token_step: (params, carry, token `[B]`) -> (carry, logits `[B, K]`), the same as `step` for an integer symbol in
        [0, K], if that is cheaper than a one-hot product. None: `step` of the one-hot symbol.
      logits: (params, tokens `[B, T]`) -> `[B, T, K]`, teacher forcing in one pass: the logits at t given the start
        symbol and the tokens before t. None: a scan of the steps.
      hidden_states: (params, tokens `[B, T]`) -> (`[B, T, H]` hidden states, `[B, T, K]` logits) of teacher forcing,
        for Professor Forcing and plots of hidden states. None: the network does not return hidden states.
      hidden_size: H; None if `hidden_states` is None.
      sample_latent: (key, batch_size) -> a pytree of arrays with a leading axis of B. None: no latent.
      uses_dropout: whether the network takes a `dropout_key` in training.
      independent_logits: (params, batch_size, length) -> `[B, T, K]`, the logits of all positions at once, if the
        symbols are independent of each other given the latent and the condition. It takes the keyword arguments above.
        With it, there are no roll-outs, and `step` is only used to generate the symbols one at a time;
        `independent_generator` builds the whole record. None: the network is autoregressive.
      built_by: the name and the arguments of the function of this library that built the network, from which a saved
        network is rebuilt; None for a network of your own.
      hidden_step: (params, carry, token `[B]`) -> (carry, (hidden state `[B, H]`, logits `[B, K]`)), `token_step` with
        the hidden state of `hidden_states`, for Professor Forcing on the windows of a long text. None: not available.
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
    hidden_step: Callable[[Params, Carry, jax.Array], tuple[Carry, tuple[jax.Array, jax.Array]]] | None = None


class Discriminator(NamedTuple):
    """A discriminator of whole sequences.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B]` logits d = log(D / (1 - D)), large for real sequences. It takes no
        lengths: padding is an ordinary symbol. It takes the keyword arguments `condition` and `dropout_key` if they
        exist, as in `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
      pack_size: m, the number of sequences that it judges together, all real or all generated. If m > 1, `logits` maps
        packs `[B / m, T, m K]`, with the symbols of the m sequences side by side at each position, to the logits
        `[B / m]` of the packs. Packs reveal mode collapse: the sequences of a generated pack resemble each other more
        than those of a real pack. Only `relaxed_gan` supports m > 1. Lin et al. 2018, https://arxiv.org/abs/1712.04086.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[..., jax.Array]
    uses_dropout: bool = False
    pack_size: int = 1


class PrefixDiscriminator(NamedTuple):
    """A discriminator of all prefixes of a sequence at once.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B, T]` logits, at t that of the first t symbols, large for prefixes of real
        sequences. It takes the keyword arguments `condition` and `dropout_key` if they exist, as in `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[..., jax.Array]
    uses_dropout: bool = False


class Encoder(NamedTuple):
    """An encoder of sequences as normal distributions of latents with independent components.

    Attributes:
      init: key -> params.
      moments: (params, x `[B, T, K]`) -> (mean `[B, Z]`, logarithm of the standard deviation `[B, Z]`) of the latent of
        each sequence, floating. It takes the keyword arguments `condition` and `dropout_key` if they exist, as in
        `Generator`.
      uses_dropout: whether the network takes a `dropout_key` in training.
    """

    init: Callable[[jax.Array], Params]
    moments: Callable[..., tuple[jax.Array, jax.Array]]
    uses_dropout: bool = False
