"""What the commands share: one-line errors, the parsing of flags, and the screen."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

from absl import app, flags, logging
from rich.console import Console


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns what a user got wrong, a ValueError or an OSError, into one line on stderr and exit status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


def screen() -> Console:
    """Gives the standard output, as wide as the terminal, or 100 columns where there is none."""
    return Console() if Console().is_terminal else Console(width=100)


@contextlib.contextmanager
def one_line_flag_errors() -> Iterator[None]:
    """Does for the definition and the parsing of flags what `one_line_errors` does for the rest."""
    with one_line_errors():
        try:
            yield
        except (flags.Error, TypeError) as error:
            # A config that raises is quoted with its whole traceback, the message last.
            raise ValueError(str(error).strip().rpartition("\nValueError: ")[2]) from error
        except (AttributeError, KeyError) as error:
            # A setting that a config doesn't have: ml_collections wraps what it says in errors within errors.
            reason: object = error
            while isinstance(reason, Exception) and reason.args:
                reason = reason.args[0]
            raise ValueError(f"the config has no setting {reason}") from error


def run(main: Callable[[], None]) -> None:
    """Runs a front door: parses its flags, with one-line errors, and calls it.

    Args:
      main: what to do once the flags are parsed.
    """

    def parse(argv: Sequence[str]) -> list[str]:
        with one_line_flag_errors():
            rest = flags.FLAGS(argv)
            if rest[1:]:
                raise ValueError(f"arguments must be flags such as --workdir=DIR, got {rest[1]!r}")
        return rest

    logging.set_verbosity(logging.WARNING)
    app.run(lambda _: main(), flags_parser=parse)
