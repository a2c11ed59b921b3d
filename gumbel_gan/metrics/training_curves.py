"""Metrics that are reported only during training: losses, and quantities that show its progress."""

from gumbel_gan.metrics.interface import Metric

LOSSES = "losses"
_LIKELIHOODS = "nats a sequence"
_LOGITS = "logits of the discriminator"
_ENTROPIES = "nats a symbol"
_GATES = "share of steps with an update"


def _loss(label: str, meaning: str) -> Metric:
    return Metric(label, "neither", meaning, applies="training", panel=LOSSES, in_progress=True)


def _likelihood(label: str, meaning: str, *, in_progress: bool = False) -> Metric:
    return Metric(label, "lower", meaning, unit="nats", applies="training", panel=_LIKELIHOODS, in_progress=in_progress)


def _quantity(label: str, meaning: str, panel: str | None, *, in_progress: bool = False) -> Metric:
    return Metric(label, "neither", meaning, applies="training", panel=panel, in_progress=in_progress)


TRAINING: dict[str, Metric] = {
    "generator_loss": _loss("generator loss", "Loss of the generator."),
    "discriminator_loss": _loss("discriminator loss", "Loss of the discriminator."),
    "fooling_loss": _loss("fooling loss", "Adversarial loss of free-running sequences, without its weight or gate."),
    "reconstruction_loss": _loss("reconstruction loss", "Loss of an autoencoder's reconstruction of a sequence."),
    "reconstruction_entropy": _quantity(
        "entropy of reconstructions",
        "Mean entropy of a position of the autoencoder's softmax outputs; 0 where they are one-hot.",
        _ENTROPIES,
    ),
    "generated_entropy": _quantity(
        "entropy of generated outputs", "Mean entropy of a position of the generator's softmax outputs.", _ENTROPIES
    ),
    "validation_nll": _likelihood(
        "validation NLL",
        "Mean negative log-likelihood of a validation sequence under the generator at temperature 1.",
        in_progress=True,
    ),
    "carried_validation_nll": _likelihood(
        "validation NLL, carried",
        "Mean negative log-likelihood of a validation window of a long text, given the text before it.",
        in_progress=True,
    ),
    "negative_log_likelihood": _likelihood(
        "training NLL", "Mean negative log-likelihood of a sequence of the mini-batch under the generator."
    ),
    "effective_sample_size": _quantity(
        "effective sample size",
        "Effective number of sequences of a mini-batch under their importance weights.",
        "effective sample size",
    ),
    "real_logit": _quantity("real logit", "Mean logit of the discriminator on real sequences.", _LOGITS),
    "generated_logit": _quantity("generated logit", "Mean logit of the discriminator on generated sequences.", _LOGITS),
    "discriminator_accuracy": _quantity(
        "discriminator accuracy",
        "Share of sequences that the discriminator classifies correctly.",
        "accuracy of the discriminator",
    ),
    "generator_gate": _quantity(
        "generator gate", "Share of steps in which the adversarial loss updates the generator.", _GATES
    ),
    "discriminator_gate": _quantity(
        "discriminator gate", "Share of steps in which the discriminator is updated.", _GATES
    ),
    "property": _quantity(
        "property",
        "Mean property of the generated sequences that were scored; those that are not valid count as the worst.",
        "property",
    ),
    "property_best": _quantity("best property", "Mean property of the 100 best sequences so far.", "property"),
    "property_calls": _quantity(
        "calls of the property",
        "Number of distinct valid sequences whose property was computed.",
        "calls of the property",
        in_progress=True,
    ),
    "temperature": _quantity(
        "temperature", "Temperature of the relaxation.", "temperature of the relaxation", in_progress=True
    ),
    "generator_gradient_norm": _quantity(
        "generator gradient norm", "Norm of the gradient of the generator's loss.", None
    ),
}
