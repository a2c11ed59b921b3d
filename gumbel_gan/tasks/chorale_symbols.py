"""Music of four voices as sequences of symbols: at each step a pitch, a held note or a rest of each voice."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gumbel_gan.arguments import require_integer
from gumbel_gan.tasks.abc_tunes import METER, TICKS, Note
from gumbel_gan.tasks.pitches import pitch_name, read_pitch

VOICES = ("soprano", "alto", "tenor", "bass")
STEPS_PER_QUARTER = (2, 4)
HELD, REST = "-", "rest"


class Step(NamedTuple):
    """What a voice does at a step of time.

    Attributes:
      pitch: the number of the key in MIDI; None for a rest.
      begins: whether a note begins; a rest never does.
    """

    pitch: int | None
    begins: bool


class Chorale(NamedTuple):
    """What a sequence of symbols stands for.

    Attributes:
      voices: the steps of each voice, as many of all. What has no meaning is a rest.
      reason: why it is not valid, in a few words; None where it is.
    """

    voices: tuple[tuple[Step, ...], ...]
    reason: str | None = None


def require_steps(steps_per_quarter: int) -> None:
    """Raises TypeError or ValueError unless it is one of `STEPS_PER_QUARTER`."""
    require_integer(steps_per_quarter=steps_per_quarter)
    if steps_per_quarter not in STEPS_PER_QUARTER:
        known = ", ".join(map(str, STEPS_PER_QUARTER))
        raise ValueError(f"steps_per_quarter must be one of {known}, got {steps_per_quarter}")


def bar_steps(meter: str, steps_per_quarter: int) -> int:
    """Returns the number of steps of a bar.

    Raises:
      TypeError: `steps_per_quarter` is not an integer.
      ValueError: it is none of `STEPS_PER_QUARTER`; or `meter` is none, or has no whole number of steps.
    """
    require_steps(steps_per_quarter)
    if not isinstance(meter, str) or not METER.fullmatch(meter):
        raise ValueError(f"meter must be one such as '4/4', got {meter!r}")
    steps = 4 * Fraction(meter) * steps_per_quarter
    if steps.denominator > 1:
        raise ValueError(f"meter must be of whole steps, {steps_per_quarter} a quarter note, got {meter}")
    return int(steps)


def excerpt_symbols(voices: Sequence[Sequence[Step]], *, shift: int = 0) -> tuple[str, ...]:
    """Returns the symbols of an excerpt, step by step, in the order of `VOICES`.

    Args:
      voices: the steps of each voice. A note that is held at the first begins there.
      shift: semitones by which it is transposed.
    """
    return tuple(
        REST if step.pitch is None else pitch_name(step.pitch + shift) if step.begins or not time else HELD
        for time, steps in enumerate(zip(*voices, strict=True))
        for step in steps
    )


def sorted_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """Returns different symbols in their order in a vocabulary: held notes and rests, and then pitches from low up."""
    found = set(symbols)
    pitches = sorted(found - {HELD, REST}, key=lambda symbol: read_pitch(symbol) or 0)
    return (*(symbol for symbol in (HELD, REST) if symbol in found), *pitches)


def read_chorale(string: str, *, num_steps: int | None = None) -> Chorale:
    """Reads the symbols of four voices, with blanks between them, and judges them.

    They are valid where there are as many as the steps ask for, each is a pitch, `-` or `rest`, and a voice has no `-`
    at the first step nor after a rest.

    Args:
      string: the symbols.
      num_steps: number of steps that they must have; None for any. Further symbols, which are no whole step, are left
        out in any case.
    """
    symbols = string.split()
    wanted = len(symbols) - len(symbols) % len(VOICES) if num_steps is None else num_steps * len(VOICES)
    reasons = [] if len(symbols) == wanted else [f"{len(symbols)} symbols instead of {wanted}"]
    voices: list[list[Step]] = [[] for _ in VOICES]
    for position, symbol in enumerate(symbols[: len(symbols) - len(symbols) % len(VOICES)]):
        time, number = divmod(position, len(VOICES))
        before = voices[number][-1].pitch if time else None
        pitch = before if symbol == HELD else read_pitch(symbol)
        if pitch is None and symbol == HELD:
            reasons.append(f"the {VOICES[number]} holds no note at step {time + 1}")
        elif pitch is None and symbol != REST:
            reasons.append(f"{symbol} is no note")
        voices[number].append(Step(pitch, pitch is not None and symbol != HELD))
    return Chorale(tuple(map(tuple, voices)), reasons[0] if reasons else None)


def voice_bars(steps: Sequence[Step], steps_per_quarter: int, *, steps_per_bar: int | None = None) -> list[list[Note]]:
    """Returns the notes of each bar of a voice; those that are held over a bar line are tied.

    Args:
      steps: the steps of the voice.
      steps_per_quarter: number of steps of a quarter note.
      steps_per_bar: number of steps of a bar; the last bar may have fewer. None makes it one bar.
    """
    duration = TICKS // 4 // steps_per_quarter
    bars: list[list[Note]] = []
    for time, step in enumerate(steps):
        is_held = time > 0 and not step.begins and step.pitch is not None
        if time % (steps_per_bar or len(steps)) == 0:
            if is_held:
                bars[-1][-1] = bars[-1][-1]._replace(is_tied=True)
            bars.append([Note(step.pitch, duration)])
        elif is_held:
            bars[-1][-1] = bars[-1][-1]._replace(duration=bars[-1][-1].duration + duration)
        else:
            bars[-1].append(Note(step.pitch, duration))
    return bars
