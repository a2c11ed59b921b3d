"""The paper's step in PyTorch, as a competent user would write it instead of using this project."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from experiments.benchmarks.timing import Program, Sizes

NUM_STEPS = 5


class Generator(nn.Module):
    """An LSTM generator that emits Gumbel-softmax samples."""

    def __init__(self, num_symbols: int, hidden_size: int):
        """Builds the LSTM cell and its head."""
        super().__init__()
        self.num_symbols, self.hidden_size = num_symbols, hidden_size
        self.cell = nn.LSTMCell(num_symbols + 1, hidden_size)
        self.head = nn.Linear(hidden_size, num_symbols)

    def forward(self, batch_size: int, length: int, temperature: torch.Tensor) -> torch.Tensor:
        """Draws `[B, T, K]` samples."""
        state = torch.randn(batch_size, self.hidden_size), torch.randn(batch_size, self.hidden_size)
        x = functional.one_hot(torch.full((batch_size,), self.num_symbols), self.num_symbols + 1).float()
        emitted = []
        for _ in range(length):
            state = self.cell(x, state)
            logits = self.head(state[0])
            noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_min(1e-20)))
            emitted.append(torch.softmax((logits + noise) / temperature, dim=-1))
            x = functional.pad(emitted[-1], (0, 1))
        return torch.stack(emitted, dim=1)


class Discriminator(nn.Module):
    """An LSTM discriminator with a head on its last state."""

    def __init__(self, num_symbols: int, hidden_size: int):
        """Builds the LSTM and its head."""
        super().__init__()
        self.lstm = nn.LSTM(num_symbols, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Computes `[B]` logits of `[B, T, K]` sequences."""
        return self.head(self.lstm(x)[0][:, -1])[:, 0]


def make(sizes: Sizes, *, mode: str | None = None) -> Program:
    """Builds a program of steps: the discriminator's cross-entropy, the generator's -log(D / (1 - D)), Adam for both.

    The generator is sampled once a step, and the discriminator reads real and generated sequences, then the generated
    ones again for the generator: the passes of `gumbel_gan.algorithms.relaxed_gan`.

    Args:
      sizes: sizes of the step.
      mode: None for eager execution, or a mode of `torch.compile`.

    Returns:
      The program.
    """
    torch.manual_seed(0)
    generator = Generator(sizes.num_symbols, sizes.hidden_size)
    discriminator = Discriminator(sizes.num_symbols, sizes.hidden_size)
    generate: Any = generator if mode is None else torch.compile(generator, mode=mode)
    discriminate: Any = discriminator if mode is None else torch.compile(discriminator, mode=mode)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    data = torch.randint(0, sizes.num_symbols, (5_000, sizes.length))

    def step(temperature: torch.Tensor) -> None:
        rows = torch.randint(0, len(data), (sizes.batch_size,))
        real = functional.one_hot(data[rows], sizes.num_symbols).float()
        generated = generate(sizes.batch_size, sizes.length, temperature)
        discriminator_optimizer.zero_grad()
        real_loss = functional.softplus(-discriminate(real)).mean()
        generated_loss = functional.softplus(discriminate(generated.detach())).mean()
        (real_loss + generated_loss).backward()
        discriminator_optimizer.step()
        generator_optimizer.zero_grad()
        (-discriminate(generated).mean()).backward()
        generator_optimizer.step()

    def run() -> None:
        for index in range(NUM_STEPS):
            # A tensor, since a changing Python number would recompile the step.
            step(torch.tensor(5.0 - 4.0 * index / NUM_STEPS))

    return Program(run, NUM_STEPS)
