"""Four-voice music as sequences of symbols: at each time step, a pitch, a held note or a rest for each voice."""

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
    """The state of a voice at a time step.

    Attributes:
      pitch: the number of the key in MIDI; None for a rest.
      begins: whether a note begins at this step; False for a rest.
    """

    pitch: int | None
    begins: bool


class Chorale(NamedTuple):
    """The music that a sequence of symbols encodes.

    Attributes:
      voices: the steps of each voice, the same number for all voices. A symbol that has no meaning is a rest.
      reason: why the sequence is not valid, in a few words; None if it is valid.
    """

    voices: tuple[tuple[Step, ...], ...]
    reason: str | None = None


def require_steps(steps_per_quarter: int) -> None:
    """Raises TypeError or ValueError unless `steps_per_quarter` is one of `STEPS_PER_QUARTER`."""
    require_integer(steps_per_quarter=steps_per_quarter)
    if steps_per_quarter not in STEPS_PER_QUARTER:
        known = ", ".join(map(str, STEPS_PER_QUARTER))
        raise ValueError(f"steps_per_quarter must be one of {known}, got {steps_per_quarter}")


def bar_steps(meter: str, steps_per_quarter: int) -> int:
    """Returns the number of steps of a bar.

    Raises:
      TypeError: `steps_per_quarter` is not an integer.
      ValueError: `steps_per_quarter` is not one of `STEPS_PER_QUARTER`, `meter` is not a meter such as '4/4', or a bar
        is not a whole number of steps.
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
      voices: the steps of each voice. A note that is held at the first step begins there.
      shift: number of semitones by which the excerpt is transposed.
    """
    return tuple(
        REST if step.pitch is None else pitch_name(step.pitch + shift) if step.begins or not time else HELD
        for time, steps in enumerate(zip(*voices, strict=True))
        for step in steps
    )


def sorted_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """Returns the distinct symbols in vocabulary order: held note, rest, and then the pitches from low to high."""
    found = set(symbols)
    pitches = sorted(found - {HELD, REST}, key=lambda symbol: read_pitch(symbol) or 0)
    return (*(symbol for symbol in (HELD, REST) if symbol in found), *pitches)


def read_chorale(string: str, *, num_steps: int | None = None) -> Chorale:
    """Reads the symbols of four voices, separated by blanks, and checks whether they are valid.

    The symbols are valid if there are four for each step, each is a pitch, `-` or `rest`, and no voice has a `-` at the
    first step or after a rest.

    Args:
      string: the symbols.
      num_steps: required number of steps; None accepts any number. Symbols after the last whole step are always left
        out.
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
            reasons.append(f"{symbol} is not a note")
        voices[number].append(Step(pitch, pitch is not None and symbol != HELD))
    return Chorale(tuple(map(tuple, voices)), reasons[0] if reasons else None)


def voice_bars(steps: Sequence[Step], steps_per_quarter: int, *, steps_per_bar: int | None = None) -> list[list[Note]]:
    """Returns the notes of each bar of a voice; notes that are held over a bar line are tied.

    Args:
      steps: the steps of the voice.
      steps_per_quarter: number of steps per quarter note.
      steps_per_bar: number of steps per bar; the last bar may have fewer. None puts all steps in one bar.
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
