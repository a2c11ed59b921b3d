"""The recurrent generators and discriminators: the only room that knows Flax."""

from gumbel_gan.networks.cells import Params
from gumbel_gan.networks.recurrent_discriminators import (
    POOLINGS,
    Discriminator,
    PrefixDiscriminator,
    behavior_discriminator,
    gru_discriminator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_prefix_discriminator,
)
from gumbel_gan.networks.recurrent_generators import (
    GRU_LATENTS,
    LATENTS,
    Behavior,
    Carry,
    Generator,
    gru_generator,
    lstm_generator,
    lstm_generator_params,
    never,
    only,
)

__all__ = [
    "GRU_LATENTS",
    "LATENTS",
    "POOLINGS",
    "Behavior",
    "Carry",
    "Discriminator",
    "Generator",
    "Params",
    "PrefixDiscriminator",
    "behavior_discriminator",
    "gru_discriminator",
    "gru_generator",
    "gru_prefix_discriminator",
    "lstm_discriminator",
    "lstm_generator",
    "lstm_generator_params",
    "lstm_prefix_discriminator",
    "never",
    "only",
]
