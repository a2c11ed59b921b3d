"""Sequence models: a generator, the length of its sequences and the rules of their padding, as pure functions.

A sequence model does not depend on a training method. All its functions take the generator's parameters.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan import one_pass, unroll
from gumbel_gan.arguments import require_at_least, require_integers, require_key, require_symbols
from gumbel_gan.networks import Carry, Generator, Params, force_symbol, mask_symbol
from gumbel_gan.networks.masks import possible
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import check_logits

# Folded into a key to derive the key of dropout. Larger than the number of keys that a latent splits the same key into.
_DROPOUT = 2**31

PyTree = Any


class Sample(Protocol):
    """Draws sequences; see `SequenceModel`."""

    def __call__(
        self,
        key: jax.Array,
        params: Params,
        num: int,
        *,
        temperature: ArrayLike = 1.0,
        exact_length: int | None = None,
        condition: PyTree = None,
    ) -> jax.Array:
        """Returns `[num, T]` int32 tokens."""
        ...


class Complete(Protocol):
    """Completes prefixes; see `SequenceModel`."""

    def __call__(
        self,
        key: jax.Array,
        params: Params,
        tokens: jax.Array,
        num_given: ArrayLike | None = None,
        *,
        temperature: ArrayLike = 1.0,
        condition: PyTree = None,
    ) -> jax.Array:
        """Returns `[N, T]` int32 tokens."""
        ...


class OfTokens(Protocol):
    """A function of parameters and given sequences; see `SequenceModel`."""

    def __call__(self, params: Params, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        """Returns an array with a leading axis of N for `[N, T]` tokens."""
        ...


class SequenceModel(NamedTuple):
    """A sequence model, as pure functions. Built by `sequence_model`.

    Attributes:
      generator: the network.
      length: T, number of symbols of a sequence, padding included.
      padding: the symbol that fills sequences up to T; None if every sequence has T symbols.
      padding_ends: whether only padding follows the first padding symbol, for all weights.
      allow_empty: whether a sequence may begin with padding.
      init: key -> params.
      sample: (key, params, num, temperature=1, exact_length=None, condition=None) -> `[num, T]` int32 tokens, each
        drawn from softmax(logits / temperature). With an `exact_length`, which need not be T, every sequence has that
        many symbols and no padding: padding has probability zero at each step. The condition has a leading axis of num.
      complete: (key, params, tokens `[N, P]`, num_given=None, temperature=1, condition=None) -> `[N, T]` int32 tokens:
        the first `num_given` symbols (a number or `[N]` numbers, at most P, which may be traced; None: all P) are kept,
        and the others are drawn given these. A latent is drawn from its prior, regardless of the given symbols.
      log_prob: (params, tokens `[N, T']`, condition=None) -> `[N]` log-probabilities in nats at temperature 1, padding
        included; -inf for sequences that the model cannot draw. Exact without a latent. With a latent z it is the
        Monte-Carlo estimate log 1/n sum_i p(tokens | z_i): unbiased for p, biased low for log p. All sequences and all
        calls share the same n draws, so that the estimates of p are a distribution: they sum to 1 over all sequences.
      hidden_states: (params, tokens `[N, T']`, condition=None) -> `[N, T', H]` hidden states along given sequences.
        They are free-running for sequences that the model has drawn, and teacher-forced for other sequences. With a
        latent, row n uses the same draw in all calls, which is not the draw that the sequence was generated from.
      num_latent_draws: n, number of draws of the latent in `log_prob`; unused without a latent.
    """

    generator: Generator
    length: int
    padding: int | None
    padding_ends: bool
    allow_empty: bool
    init: Callable[[jax.Array], Params]
    sample: Sample
    complete: Complete
    log_prob: OfTokens
    hidden_states: OfTokens
    num_latent_draws: int


def sequence_model(
    generator: Generator,
    *,
    length: int,
    padding: int | None = None,
    padding_ends: bool = False,
    allow_empty: bool = True,
    num_latent_draws: int = 256,
) -> SequenceModel:
    """Builds the sequence model of a generator.

    Args:
      generator: the network.
      length: T, number of symbols of a sequence, padding included.
      padding: the symbol that fills sequences up to T; None if every sequence has T symbols.
      padding_ends: whether only padding can follow padding. Otherwise padding is a symbol like the others, which may
        occur in the middle.
      allow_empty: whether a sequence may begin with padding; must be true if `padding` is None.
      num_latent_draws: number of draws of the latent in `log_prob`; unused without a latent.

    Returns:
      A `SequenceModel`.

    Raises:
      TypeError: `generator` is not a `Generator`, or `length`, `padding` or `num_latent_draws` is not an integer.
      ValueError: an argument is out of range, or `padding` is None although `padding_ends` is true or `allow_empty` is
        false.
    """
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a Generator, got a {type(generator).__name__}")
    require_at_least(1, length=length, num_latent_draws=num_latent_draws)
    num_symbols = generator.num_symbols
    if padding is not None:
        require_at_least(0, padding=padding)
    if padding is not None and padding >= num_symbols:
        raise ValueError(f"padding must be None or a symbol from 0 to {num_symbols - 1}, got {padding}")
    if padding_ends and padding is None:
        raise ValueError("padding must be a symbol where padding_ends is true, got None")
    if not allow_empty and padding is None:
        raise ValueError("allow_empty must be true where there is no padding, got False")

    def model_sample(
        key: jax.Array,
        params: Params,
        num: int,
        *,
        temperature: ArrayLike = 1.0,
        exact_length: int | None = None,
        condition: PyTree = None,
    ) -> jax.Array:
        require_key(key=key)
        require_at_least(0, num=num)
        if exact_length is not None:
            require_at_least(1, exact_length=exact_length)
        latent_key, noise_key = jax.random.split(key)
        given = inputs(model, latent_key, num, condition)
        steps = length if exact_length is None else exact_length
        return sample(
            noise_key, model, params, num, given, length=steps, temperature=temperature, padded=exact_length is None
        )

    def complete(
        key: jax.Array,
        params: Params,
        tokens: jax.Array,
        num_given: ArrayLike | None = None,
        *,
        temperature: ArrayLike = 1.0,
        condition: PyTree = None,
    ) -> jax.Array:
        require_key(key=key)
        check_tokens(model, tokens)
        num, num_written = tokens.shape
        if num_written > length:
            raise ValueError(f"tokens must be at most {length} symbols long, got shape {tokens.shape}")
        num_given = num_written if num_given is None else num_given
        unroll.require_num_given(num_given, num, num_written)
        latent_key, noise_key = jax.random.split(key)
        given = inputs(model, latent_key, num, condition)
        tokens = jnp.pad(tokens, ((0, 0), (0, length - num_written)))
        return complete_tokens(noise_key, model, params, tokens, num_given, given, temperature=temperature)

    def log_prob(params: Params, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        check_tokens(model, tokens)
        # Not `len`, which fails for a symbolic number of sequences.
        num = tokens.shape[0]
        if generator.sample_latent is None:
            log_probs_NT = token_log_probs(model, params, tokens, inputs(model, None, num, condition))
            return possible(jnp.sum(log_probs_NT, axis=1))

        def add_draw(total_N: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
            shared = inputs(model, key, 1)["latent"]
            if generator.independent_logits is not None and condition is None:
                # All sequences share the logits of the draw.
                logits_1TK = independent_logits(model, params, 1, tokens.shape[1], {"latent": shared})
                log_probs_NT = one_pass.token_log_probs(logits_1TK[0], tokens, ending=_ending(model))
            else:
                given = inputs(model, None, num, condition) | {"latent": _repeat(shared, num)}
                log_probs_NT = token_log_probs(model, params, tokens, given)
            return jnp.logaddexp(total_N, jnp.sum(log_probs_NT, axis=1)), None

        none_N = jnp.full((num,), -jnp.inf, jnp.float32)
        total_N, _ = jax.lax.scan(add_draw, none_N, jax.random.split(jax.random.key(0), num_latent_draws))
        return possible(total_N - jnp.log(num_latent_draws).astype(jnp.float32))

    def hidden_states(params: Params, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        check_tokens(model, tokens)
        given = inputs(model, jax.random.key(0), tokens.shape[0], condition)
        return hidden_states_and_logits(model, params, tokens, given)[0]

    model = SequenceModel(
        generator,
        length,
        padding,
        padding_ends,
        allow_empty,
        generator.init,
        model_sample,
        complete,
        log_prob,
        hidden_states,
        num_latent_draws,
    )
    return model


def inputs(
    model: SequenceModel,
    key: jax.Array | None,
    num: int,
    condition: PyTree = None,
    *,
    training: bool = False,
) -> dict[str, Any]:
    """Returns the keyword arguments that the generator's functions take besides parameters and symbols.

    Args:
      model: the model.
      key: typed PRNG key, consumed; None leaves out the latent and the key of dropout.
      num: N, number of sequences.
      condition: a pytree with a leading axis of N; None if there is no condition.
      training: whether dropout is on.

    Returns:
      Those of `latent`, `condition` and `dropout_key` that are used; see `networks.Generator`.

    Raises:
      TypeError: `key` is not a typed PRNG key, or `num` is not an integer.
      ValueError: `num` is negative, or a leaf of `condition` has no leading axis of N.
    """
    require_at_least(0, num=num)
    if key is not None:
        require_key(key=key)
    generator, given = model.generator, {}
    for leaf in jax.tree.leaves(condition):
        shape = getattr(leaf, "shape", ())
        if shape[:1] != (num,):
            raise ValueError(f"condition must have a leading axis of {num}, got shape {shape}")
    if condition is not None:
        given["condition"] = condition
    if key is not None and training and generator.uses_dropout:
        given["dropout_key"] = jax.random.fold_in(key, _DROPOUT)
    if key is not None and generator.sample_latent is not None:
        given["latent"] = generator.sample_latent(key, num)
    return given


def again(given: dict[str, Any]) -> dict[str, Any]:
    """Returns a copy of what `inputs` returned, for another pass with the same latent, condition and dropout."""
    if "dropout_key" not in given:
        return given
    return given | {"dropout_key": jax.random.clone(given["dropout_key"])}


def relaxed_step(model: SequenceModel, params: Params) -> unroll.Step:
    """Returns the generator's step on relaxed symbols, (carry, x `[B, K + 1]`) -> (carry, logits `[B, K]`).

    The step raises TypeError or ValueError if x is not a floating array of this shape.
    """
    num_inputs = model.generator.num_symbols + 1

    def step(carry: Carry, x_BK: jax.Array) -> tuple[Carry, jax.Array]:
        x_BK = check_logits(x_BK, "x")
        if x_BK.ndim != 2 or x_BK.shape[1] != num_inputs:
            raise ValueError(f"x must be [B, {num_inputs}], got shape {x_BK.shape}")
        carry, logits_BK = model.generator.step(params, carry, x_BK)
        logits_BK = logits_BK.astype(jnp.float32)
        if model.padding is None:
            return carry, logits_BK
        is_start_B, is_padding_B = x_BK[:, -1] > 0.5, x_BK[:, model.padding] > 0.5
        return carry, _follow_padding(model, model.padding, logits_BK, is_start_B, is_padding_B)

    return step


def token_step(model: SequenceModel, params: Params) -> unroll.Step:
    """Returns the generator's step on symbols, (carry, token `[B]`) -> (carry, logits `[B, K]`).

    The step raises TypeError or ValueError if token is not a `[B]` array of integers from 0 to K, the start symbol.
    Traced values are not checked.
    """
    generator = model.generator

    def step(carry: Carry, token_B: jax.Array) -> tuple[Carry, jax.Array]:
        _check_token(model, token_B)
        if generator.token_step is None:
            x_BK = jax.nn.one_hot(token_B, generator.num_symbols + 1, dtype=jnp.float32)
            carry, logits_BK = generator.step(params, carry, x_BK)
        else:
            carry, logits_BK = generator.token_step(params, carry, token_B)
        return carry, _mask_after(model, logits_BK, token_B)

    return step


def independent_logits(model: SequenceModel, params: Params, num: int, length: int, given: dict[str, Any]) -> jax.Array:
    """Computes `[N, length, K]` float32 logits of all positions at once, for a generator of independent symbols.

    There are two rules of padding. The first, whether the first position may be padding, is applied to these logits.
    The second, that only padding follows padding if `padding_ends`, depends on the drawn symbols: symbols are drawn
    from these logits, and those after the first padding are replaced by padding. So p(tokens | latent) is exactly the
    product over the positions up to and including the first padding.
    """
    if model.generator.independent_logits is None:
        raise ValueError("generator must have independent_logits, got None")
    logits_NTK = model.generator.independent_logits(params, num, length, **given).astype(jnp.float32)
    if model.allow_empty or model.padding is None:
        return logits_NTK
    return logits_NTK.at[:, 0].set(mask_symbol(logits_NTK[:, 0], model.padding))


def relaxed_sample(
    key: jax.Array,
    model: SequenceModel,
    params: Params,
    num: int,
    given: dict[str, Any],
    *,
    estimator: Estimator,
    temperature: ArrayLike,
    feedback_temperature: ArrayLike | None = None,
    feedback_gradient: bool = True,
) -> jax.Array:
    """Draws relaxed sequences, through which gradients of a discriminator's loss can flow.

    Args:
      key: typed PRNG key; consumed.
      model: the model.
      params: the generator's parameters.
      num: N, number of sequences.
      given: keyword arguments for N sequences, as returned by `inputs`.
      estimator: draws a sample from logits and noise.
      temperature: scalar > 0, of the emitted symbols.
      feedback_temperature: scalar > 0, of the symbols that are fed back; None: `temperature`. A generator of
        independent symbols ignores this argument and the next.
      feedback_gradient: whether gradients flow through the symbols that are fed back.

    Returns:
      `[N, T, K]` samples that carry a gradient.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range.
    """
    if model.generator.independent_logits is not None:
        logits_NTK = independent_logits(model, params, num, model.length, given)
        return one_pass.relaxed(key, logits_NTK, estimator=estimator, temperature=temperature, ending=_ending(model))
    return unroll.relaxed(
        key,
        relaxed_step(model, params),
        model.generator.initial_carry(params, num, model.length, **given),
        unroll.start_symbols(num, model.generator.num_symbols),
        model.length,
        estimator=estimator,
        temperature=temperature,
        feedback_temperature=feedback_temperature,
        feedback_gradient=feedback_gradient,
    )


def sample(
    key: jax.Array,
    model: SequenceModel,
    params: Params,
    num: int,
    given: dict[str, Any],
    *,
    length: int,
    temperature: ArrayLike = 1.0,
    padded: bool = True,
) -> jax.Array:
    """Draws sequences.

    Args:
      key: typed PRNG key; consumed.
      model: the model.
      params: the generator's parameters.
      num: N, number of sequences.
      given: keyword arguments for N sequences, as returned by `inputs`.
      length: number of symbols to draw.
      temperature: scalar > 0 that logits are divided by.
      padded: whether padding may be drawn.

    Returns:
      `[N, length]` int32 tokens.

    Raises:
      TypeError: `key` is not a typed PRNG key, `num` or `length` is not an integer, or `temperature` is not a number.
      ValueError: `num`, `length` or `temperature` is out of range.
    """
    require_at_least(0, num=num)
    require_at_least(1, length=length)
    if model.generator.independent_logits is not None:
        logits_NTK = independent_logits(model, params, num, length, given)
        if not padded and model.padding is not None:
            logits_NTK = mask_symbol(logits_NTK, model.padding)
        return one_pass.hard(key, logits_NTK, temperature=temperature, ending=_ending(model))
    bound = token_step(model, params)

    def step(carry: Carry, token_B: jax.Array) -> tuple[Carry, jax.Array]:
        carry, logits_BK = bound(carry, token_B)
        return carry, logits_BK if padded or model.padding is None else mask_symbol(logits_BK, model.padding)

    carry = model.generator.initial_carry(params, num, length, **given)
    start = unroll.start_tokens(num, model.generator.num_symbols)
    return unroll.hard(key, step, carry, start, length, temperature=temperature)


def complete_tokens(
    key: jax.Array,
    model: SequenceModel,
    params: Params,
    tokens: jax.Array,
    num_given: ArrayLike,
    given: dict[str, Any],
    *,
    temperature: ArrayLike = 1.0,
) -> jax.Array:
    """Draws the symbols after the first `num_given` symbols of `[N, T]` tokens; `given` as in `sample`.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: `tokens` is not `[N, T]` or not in [0, K), or `num_given` or `temperature` is out of range.
    """
    check_tokens(model, tokens)
    num, length = tokens.shape
    if model.generator.independent_logits is not None:
        logits_NTK = independent_logits(model, params, num, length, given)
        return one_pass.completed(key, logits_NTK, tokens, num_given, temperature=temperature, ending=_ending(model))
    carry = model.generator.initial_carry(params, num, length, **given)
    start = unroll.start_tokens(num, model.generator.num_symbols)
    step = token_step(model, params)
    return unroll.completed(key, step, carry, start, tokens, num_given, temperature=temperature)


def teacher_forced_logits(model: SequenceModel, params: Params, tokens: jax.Array, given: dict[str, Any]) -> jax.Array:
    """Computes `[N, T, K]` logits along `[N, T]` tokens, each given the tokens before it; `given` as in `sample`.

    Raises:
      TypeError: `tokens` is not an array of integers.
      ValueError: `tokens` is not `[N, T]` or not in [0, K).
    """
    check_tokens(model, tokens)
    num, length = tokens.shape
    generator = model.generator
    if generator.independent_logits is not None:
        return _follow_tokens(model, generator.independent_logits(params, num, length, **given), tokens)
    if generator.logits is None:
        start = unroll.start_tokens(num, generator.num_symbols)
        carry = generator.initial_carry(params, num, length, **given)
        return unroll.teacher_forced(token_step(model, params), carry, start, tokens)
    return _follow_tokens(model, generator.logits(params, tokens, **given), tokens)


def token_log_probs(model: SequenceModel, params: Params, tokens: jax.Array, given: dict[str, Any]) -> jax.Array:
    """Computes `[N, T]` log p(token at t | tokens before t) in nats, at temperature 1; `given` as in `sample`."""
    return unroll.token_log_probs(teacher_forced_logits(model, params, tokens, given), tokens)


def hidden_states_and_logits(
    model: SequenceModel, params: Params, tokens: jax.Array, given: dict[str, Any]
) -> tuple[jax.Array, jax.Array]:
    """Computes hidden states `[N, T, H]` and logits `[N, T, K]` along `[N, T]` tokens; `given` as in `sample`.

    Raises:
      TypeError: `tokens` is not an array of integers.
      ValueError: `tokens` is not `[N, T]` or not in [0, K), or the generator has no hidden states.
    """
    check_tokens(model, tokens)
    hidden_NTH, logits_NTK = require_hidden_states(model)(params, tokens, **given)
    return hidden_NTH, _follow_tokens(model, logits_NTK, tokens)


def hidden_step(model: SequenceModel, params: Params) -> unroll.Step:
    """Returns `token_step` with hidden states: (carry, token `[B]`) -> (carry, (hidden `[B, H]`, logits `[B, K]`)).

    The step raises as that of `token_step` does.

    Raises:
      ValueError: the generator has no `hidden_step`.
    """
    bound = model.generator.hidden_step
    if bound is None:
        raise ValueError("generator must have a hidden_step, got None")

    def step(carry: Carry, token_B: jax.Array) -> tuple[Carry, Any]:
        _check_token(model, token_B)
        carry, (hidden_BH, logits_BK) = bound(params, carry, token_B)
        return carry, (hidden_BH, _mask_after(model, logits_BK, token_B))

    return step


def require_hidden_states(model: SequenceModel) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Returns the generator's `hidden_states`; raises ValueError if it has none."""
    if model.generator.hidden_states is None:
        raise ValueError("generator must have hidden_states, got None")
    return model.generator.hidden_states


def require_exact(model: SequenceModel) -> None:
    """Raises ValueError if the generator has a latent, so that likelihoods are not exact."""
    if model.generator.sample_latent is not None:
        raise ValueError("generator must have no latent, so that its likelihood is exact, got one with sample_latent")


def check_tokens(model: SequenceModel, tokens: jax.Array) -> None:
    """Checks that tokens are an `[N, T]` array of integers in [0, K); traced values are not checked."""
    require_integers(tokens=tokens)
    if tokens.ndim != 2 or not tokens.shape[1]:
        raise ValueError(f"tokens must be [N, T] with T at least 1, got shape {tokens.shape}")
    require_symbols(model.generator.num_symbols, tokens=tokens)


def _check_token(model: SequenceModel, token: jax.Array) -> None:
    require_symbols(model.generator.num_symbols + 1, token=token)
    if token.ndim != 1:
        raise ValueError(f"token must be [B], got shape {token.shape}")


def _ending(model: SequenceModel) -> int | None:
    """Returns the symbol after which only the same symbol may follow; None if there is none."""
    return model.padding if model.padding_ends else None


def _follow_tokens(model: SequenceModel, logits: jax.Array, tokens: jax.Array) -> jax.Array:
    """Returns logits `[N, T, K]` along tokens `[N, T]`, in float32, with the rules of padding applied."""
    start = unroll.start_tokens(tokens.shape[0], model.generator.num_symbols)
    return _mask_after(model, logits, unroll.previous_tokens(tokens, start))


def _mask_after(model: SequenceModel, logits: jax.Array, previous: jax.Array) -> jax.Array:
    """Returns logits `[..., K]` after tokens `[...]`, in float32, with the rules of padding applied."""
    logits = logits.astype(jnp.float32)
    if model.padding is None:
        return logits
    is_start, is_padding = (jnp.equal(previous, symbol) for symbol in (model.generator.num_symbols, model.padding))
    return _follow_padding(model, model.padding, logits, is_start, is_padding)


def _follow_padding(
    model: SequenceModel, padding: int, logits: jax.Array, is_start: jax.Array, is_padding: jax.Array
) -> jax.Array:
    """Applies the rules of padding to logits `[..., K]`.

    `is_start` and `is_padding`, `[...]` booleans, are whether the previous symbol is the start symbol or padding.
    """
    if model.padding_ends:
        only_padding = force_symbol(jnp.zeros_like(logits), padding)
        logits = jnp.where(is_padding[..., None], only_padding, logits)
    if model.allow_empty:
        return logits
    return jnp.where(is_start[..., None], mask_symbol(logits, padding), logits)


def _repeat(latent: PyTree, num: int) -> PyTree:
    """Repeats a latent with a leading axis of 1 `num` times."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num, *leaf.shape[1:])), latent)
