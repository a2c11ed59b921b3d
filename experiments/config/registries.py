"""The names that a config may use, and the functions and objects that they stand for."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import optax
from jax.typing import ArrayLike

from gumbel_gan import losses, networks, schedules
from gumbel_gan.algorithms import (
    Algorithm,
    distilled_gan,
    importance_gan,
    maximum_likelihood,
    policy_gradient,
    professor_forcing,
    relaxed_gan,
    truncated_likelihood,
    variational_autoencoder,
)
from gumbel_gan.arguments import Scalar, require_at_least, require_number, require_scalar
from gumbel_gan.data import inverse_frequency_weights
from gumbel_gan.losses import AdvantageEstimator, Objective, Reward, monte_carlo, per_prefix, per_symbol, reinforce
from gumbel_gan.relaxation import (
    Estimator,
    decoupled,
    gapped_straight_through,
    gumbel_rao,
    plain_straight_through,
    reinmax,
    reinmax_cv,
    reinmax_rao,
    soft,
    straight_through,
)
from gumbel_gan.tasks import (
    Picture,
    Task,
    chorale_midi,
    chorale_picture,
    chorales_task,
    digits_task,
    grammar_task,
    handwriting_picture,
    handwriting_task,
    melodies_task,
    melody_midi,
    melody_picture,
    molecule_picture,
    molecules_task,
    name_line,
    names_task,
    oracle_task,
    pairs_task,
    pixels_task,
    pronunciation_task,
    text_line,
    text_task,
)

TASKS: Mapping[str, Callable[..., Task]] = {
    "grammar": grammar_task,
    "text": text_task,
    "names": names_task,
    "oracle": oracle_task,
    "digits": digits_task,
    "molecules": molecules_task,
    "pairs": pairs_task,
    "pronunciation": pronunciation_task,
    "melodies": melodies_task,
    "chorales": chorales_task,
    "pixels": pixels_task,
    "handwriting": handwriting_task,
}
# The tasks of pairs, whose runs write their held-out pairs to a file.
PAIRS = ("pairs", "pronunciation")
# Functions that draw a sampled string for reports, given the string and settings of the task.
PICTURES: Mapping[str, Callable[..., Picture]] = {
    "molecules": molecule_picture,
    "melodies": melody_picture,
    "chorales": chorale_picture,
    "handwriting": handwriting_picture,
}
# Functions that return a sampled string as a MIDI file, given the string, a tempo and settings of the task; None for a
# string without notes.
MIDI_FILES: Mapping[str, Callable[..., bytes | None]] = {"melodies": melody_midi, "chorales": chorale_midi}
# Functions that return the string which training reads in a line, given the line, its source for a task of pairs, and
# settings of the task. For a task without a function, this string is the line itself.
LINES: Mapping[str, Callable[..., str]] = {
    "text": text_line,
    "names": name_line,
    "pairs": text_line,
    "pronunciation": name_line,
}
GENERATORS: Mapping[str, Callable[..., networks.Generator]] = {
    "lstm": partial(networks.recurrent_generator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_generator, cell=networks.GRUCell),
    "transformer": networks.transformer_generator,
    "one_pass": networks.one_pass_generator,
    "convolutional_one_pass": networks.convolutional_one_pass_generator,
}
DISCRIMINATORS: Mapping[str, Callable[..., networks.Discriminator]] = {
    "lstm": partial(networks.recurrent_discriminator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_discriminator, cell=networks.GRUCell),
    "transformer": networks.transformer_discriminator,
    "convolutional": networks.convolutional_discriminator,
    "multi_representation": networks.multi_representation_discriminator,
}
PREFIX_DISCRIMINATORS: Mapping[str, Callable[..., networks.PrefixDiscriminator]] = {
    "lstm": partial(networks.recurrent_prefix_discriminator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_prefix_discriminator, cell=networks.GRUCell),
    "transformer": networks.transformer_prefix_discriminator,
}
BEHAVIOR_DISCRIMINATORS: Mapping[str, Callable[..., networks.Discriminator]] = {
    "behavior": networks.behavior_discriminator
}
ENCODERS: Mapping[str, Callable[..., networks.Encoder]] = {
    "lstm": partial(networks.recurrent_encoder, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_encoder, cell=networks.GRUCell),
}


def toth_weights(tokens: np.ndarray, data_weights: bool = True) -> np.ndarray:
    """Computes the weights of the training sequences in Toth's method.

    Args:
      tokens: `[N, T]` tokens of the sequences.
      data_weights: whether likelihoods are divided by the empirical probability of a sequence. If not, the weights are
        constant, as in Toth's training loss.

    Returns:
      `[N]` float32 weights.
    """
    return inverse_frequency_weights(tokens) if data_weights else np.full(len(tokens), len(tokens), np.float32)


class PropertyEntry(NamedTuple):
    """A property of strings.

    Attributes:
      function: the function as 'module:function', imported by worker processes.
      worst: score of strings without a property, below all other scores.
    """

    function: str
    worst: float


# A config may also name a function of the user's, 'module:function'.
PROPERTIES: Mapping[str, PropertyEntry] = {
    "qed": PropertyEntry("gumbel_gan.metrics.molecules.objectives:qed", 0.0),
    "penalized_log_p": PropertyEntry("gumbel_gan.metrics.molecules.objectives:penalized_log_p", -10.0),
}


class AlgorithmEntry(NamedTuple):
    """A training method, and the facts that a config needs in addition to its signature.

    Attributes:
      function: builds the algorithm.
      discriminators: the discriminators that the method takes; unused if the function has no parameter `discriminator`.
      prefix_discriminators: the discriminators that the method takes if its advantages are computed from prefixes.
      weights: maps the `[N, T]` training tokens, and its own settings, to the `[N]` weights of the sequences in
        batches; None for batches without weights.
      is_adversarial: whether the generator learns only from a discriminator; used by `data_defaults`.
    """

    function: Callable[..., Algorithm]
    discriminators: Mapping[str, Callable[..., networks.Discriminator]] = DISCRIMINATORS
    prefix_discriminators: Mapping[str, Callable[..., networks.PrefixDiscriminator]] = PREFIX_DISCRIMINATORS
    weights: Callable[..., np.ndarray] | None = None
    is_adversarial: bool = False

    @property
    def reads_behavior(self) -> bool:
        """Whether the discriminator reads hidden states followed by the symbols."""
        return self.discriminators is BEHAVIOR_DISCRIMINATORS


ALGORITHMS: Mapping[str, AlgorithmEntry] = {
    "relaxed_gan": AlgorithmEntry(relaxed_gan, is_adversarial=True),
    "maximum_likelihood": AlgorithmEntry(maximum_likelihood),
    "truncated_likelihood": AlgorithmEntry(truncated_likelihood),
    "importance_gan": AlgorithmEntry(importance_gan, weights=toth_weights),
    "policy_gradient": AlgorithmEntry(policy_gradient, is_adversarial=True),
    "professor_forcing": AlgorithmEntry(professor_forcing, discriminators=BEHAVIOR_DISCRIMINATORS),
    "variational_autoencoder": AlgorithmEntry(variational_autoencoder),
    "distilled_gan": AlgorithmEntry(distilled_gan, is_adversarial=True),
}
# An estimator, or a function that builds an estimator from hyperparameters.
ESTIMATORS: Mapping[str, Estimator | Callable[..., Estimator]] = {
    "soft": soft,
    "straight_through": straight_through,
    "plain_straight_through": plain_straight_through,
    "gapped_straight_through": gapped_straight_through,
    "decoupled": decoupled,
    "gumbel_rao": gumbel_rao,
    "reinmax": reinmax,
    "reinmax_rao": reinmax_rao,
    "reinmax_cv": reinmax_cv,
}
OBJECTIVES: Mapping[str, Objective] = {
    "log_odds": losses.log_odds,
    "minimax": losses.minimax,
    "non_saturating": losses.non_saturating,
    "ratio_kl": losses.ratio_kl,
    "ratio_pearson": losses.ratio_pearson,
    "ratio_squared_hellinger": losses.ratio_squared_hellinger,
    "pearson_fit": losses.pearson_fit,
    "variational_kl": losses.variational_kl,
    "variational_reverse_kl": losses.variational_reverse_kl,
    "variational_pearson": losses.variational_pearson,
    "variational_squared_hellinger": losses.variational_squared_hellinger,
    "variational_jensen_shannon": losses.variational_jensen_shannon,
    "relativistic": losses.relativistic,
    "least_squares": losses.least_squares,
    "hinge": losses.hinge,
    "wasserstein": losses.wasserstein,
    "moment_matching": losses.moment_matching,
}
REWARDS: Mapping[str, Reward] = {
    "logit": losses.logit,
    "tanh_half_logit": losses.tanh_half_logit,
    "log_sigmoid": losses.log_sigmoid,
    "softplus_logit": losses.softplus_logit,
    "exp_logit": losses.exp_logit,
    "exp_twice_logit": losses.exp_twice_logit,
    "exp_half_logit": losses.exp_half_logit,
}
ADVANTAGES: Mapping[str, Callable[..., AdvantageEstimator]] = {
    "reinforce": reinforce,
    "per_prefix": per_prefix,
    "per_symbol": per_symbol,
    "monte_carlo": monte_carlo,
}
SCHEDULES: Mapping[str, Callable[..., optax.Schedule]] = {
    "constant": schedules.constant,
    "linear": schedules.linear,
    "exponential": schedules.exponential,
    "cosine": schedules.cosine,
    "piecewise_constant": schedules.piecewise_constant,
    "inverse_temperature_exponential": schedules.inverse_temperature_exponential,
}


def adam(
    learning_rate: Scalar,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.999,
    *,
    max_norm: ArrayLike | None = None,
    max_skipped: int | None = None,
    steps_per_update: int = 1,
) -> optax.GradientTransformation:
    """Builds Adam.

    Args:
      learning_rate: number >= 0 or schedule; may be traced, and so may `b1`, `b2` and `max_norm`.
      b1: decay of the first moment, in [0, 1).
      b2: decay of the second moment, in [0, 1).
      max_norm: norm > 0 to which larger gradients are scaled down first; None for no limit.
      max_skipped: largest number of consecutive gradients that are skipped because they are not finite; None applies
        every gradient.
      steps_per_update: number of steps whose mean gradient makes one update, after the last of them. A schedule of the
        learning rate counts steps, not updates.
    """
    _check_adam(learning_rate, b1, b2)
    return _optimizer(partial(optax.adam, b1=b1, b2=b2), learning_rate, max_norm, max_skipped, steps_per_update)


def optimistic_adam(
    learning_rate: Scalar,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.999,
    *,
    max_norm: ArrayLike | None = None,
    max_skipped: int | None = None,
    steps_per_update: int = 1,
) -> optax.GradientTransformation:
    """Builds Adam that adds to each update its change from the previous one (Daskalakis et al. 2018); see `adam`."""
    _check_adam(learning_rate, b1, b2)

    def make(learning_rate: Scalar) -> optax.GradientTransformation:
        return optax.chain(
            optax.scale_by_adam(b1=b1, b2=b2),
            optax.scale_by_optimistic_gradient(),
            optax.scale_by_learning_rate(learning_rate),
        )

    return _optimizer(make, learning_rate, max_norm, max_skipped, steps_per_update)


def _check_adam(learning_rate: Scalar, b1: ArrayLike, b2: ArrayLike) -> None:
    require_scalar("learning_rate", learning_rate, low=0)
    require_number("b1", b1, low=0, high=1, open_high=True)
    require_number("b2", b2, low=0, high=1, open_high=True)


def _optimizer(
    make: Callable[[Scalar], optax.GradientTransformation],
    learning_rate: Scalar,
    max_norm: ArrayLike | None,
    max_skipped: int | None,
    steps_per_update: int,
) -> optax.GradientTransformation:
    """Builds an optimizer from a function of the learning rate and the settings of all optimizers; see `adam`."""
    require_at_least(1, steps_per_update=steps_per_update)
    # A schedule is given the number of updates.
    optimizer = make(
        (lambda number: learning_rate(number * steps_per_update)) if callable(learning_rate) else learning_rate
    )
    if max_norm is not None:
        require_number("max_norm", max_norm, low=0, open_low=True)
        optimizer = optax.chain(optax.clip_by_global_norm(max_norm), optimizer)
    if max_skipped is not None:
        require_at_least(1, max_skipped=max_skipped)
        optimizer = optax.apply_if_finite(optimizer, max_skipped)
    if steps_per_update > 1:
        optimizer = optax.MultiSteps(optimizer, steps_per_update).gradient_transformation()
    return optimizer


OPTIMIZERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {
    "adam": adam,
    "optimistic_adam": optimistic_adam,
    # An older name of `adam`.
    "clipped_adam": adam,
}


def spans_steps(name: str) -> bool:
    """Returns whether the schedule of that name has an argument `steps`, its length."""
    return "steps" in inspect.signature(SCHEDULES[name]).parameters
