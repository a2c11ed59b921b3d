"""What the commands share: one-line errors, the parsing of flags, and the screen."""

import contextlib
import errno
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import app, flags, logging
from ml_collections import config_flags
from rich.console import Console

from experiments import processes
from experiments.config import locate

# The flags that functions here define are listed by the `--help` of the command that calls them.
flags.disclaim_key_flags()

# Flags that name a folder, or several, or a file.
_FOLDERS = ("workdir", "workdirs", "input", "output")
_INTERRUPTED = 130
# What the file system says in the errors of libraries that write in the background.
_REFUSALS = [os.strerror(each) for each in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EIO)]


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a user's mistake, a ValueError or an OSError, into one line on stderr and exit status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        _fail(str(error))


@contextlib.contextmanager
def one_line_disk_errors(note: str) -> Iterator[None]:
    """Turns what the file system refuses, such as a write to a full disk, into one line on stderr and exit status 1.

    Args:
      note: what to say besides.
    """
    try:
        yield
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        _fail(f"{refusal}; {note}")


def screen() -> Console:
    """Returns the standard output, as wide as the terminal, or 100 columns where there is none.

    Of several processes only the first prints.
    """
    if not processes.is_first():
        return Console(quiet=True)
    return Console() if Console().is_terminal else Console(width=100)


@contextlib.contextmanager
def one_line_flag_errors() -> Iterator[None]:
    """Does for the definition and the parsing of flags what `one_line_errors` does for the rest."""
    with one_line_errors():
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            raise ValueError(_flag_error(error)) from error


def define_config(default: str | None, help_string: str) -> Any:
    """Defines the flags --config and --config.KEY of a command, and returns their holder, for `given_config`.

    Config files are found as `locate` says; a default one is run here, with the settings that the command line changes.

    Args:
      default: the config file where none is named; None for no config.
      help_string: description of --config.
    """
    locate.locate(sys.argv)
    with one_line_flag_errors():
        return config_flags.DEFINE_config_file("config", default=default, help_string=help_string)


def given_config(config: Any) -> Any:
    """Returns the config that the flags of `define_config` give; a file that can't be read is one line on stderr."""
    with one_line_flag_errors():
        value = config.value
        # What stands for a file that could not be loaded raises an OSError when it is looked at.
        getattr(value, "items", None)
        return value


def run(main: Callable[..., None], *, files: bool = False) -> None:
    """Runs a command: parses its flags, with one-line errors, and calls it.

    Args:
      main: what to do once the flags are parsed.
      files: whether the command takes arguments that are no flags, with which `main` is then called.
    """

    def parse(argv: Sequence[str]) -> list[str]:
        with one_line_flag_errors():
            rest = flags.FLAGS(argv)
            check_arguments([] if files else rest[1:])
        return rest

    def call(rest: Sequence[str]) -> None:
        try:
            main(*rest[1:])
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            sys.exit(_INTERRUPTED)

    threading.excepthook = _of_thread
    # orbax warns of what is no fault of a run, and what is one it raises besides.
    logging.set_verbosity(logging.FATAL)
    app.run(call, flags_parser=parse)


@contextlib.contextmanager
def reader_may_stop() -> Iterator[None]:
    """Ends quietly what is printed once the reader, such as `head`, has enough."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes once more at its end, which must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_output_file(path: str, flag: str) -> None:
    """Raises ValueError unless a file can be written: its folder exists and lets it, and it is no folder itself."""
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{flag} must be a file in a folder that exists, got {path!r}: there is no {folder}")
    if Path(path).is_dir():
        raise ValueError(f"{flag} must be a file, got {path!r}, a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{flag} must be writable, got {path!r}: no permission in {folder}")


def check_arguments(rest: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
    """Checks what the flags of a command leave open.

    Args:
      rest: the arguments that are no flags.
      values: the flags, parsed.

    Raises:
      ValueError: there are such arguments, or a flag names a folder or a file by an empty text, such as an unset
        variable of the shell.
    """
    if rest:
        raise ValueError(f"arguments must be flags such as --workdir=DIR, got {rest[0]!r}")
    for name in _FOLDERS:
        value = values[name].value if name in values else None
        folders = [value] if isinstance(value, str) else value or []
        if any(not folder.strip() for folder in folders):
            raise ValueError(f"--{name} must name a folder or a file, got an empty text")


def _fail(message: str) -> NoReturn:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    # What still reads or writes in the background has no more to say.
    sys.unraisablehook = lambda _: None
    sys.exit(1)


def _of_thread(arguments: threading.ExceptHookArgs) -> None:
    """Prints the trace of an error in a thread, unless the disk is to blame: the next write says so in one line."""
    if arguments.exc_value is None or _refusal(arguments.exc_value) is None:
        threading.__excepthook__(arguments)


def _refusal(error: BaseException) -> str | None:
    """Returns what the file system said where it is to blame for an error; else None."""
    said = next((text for text in _REFUSALS if text in str(error)), None)
    return str(error) if said is None and isinstance(error, OSError) else said


def _flag_error(error: Exception) -> str:
    """Returns what a user is told of an error in flags, or in a config file that they name."""
    text = str(error).strip()
    _, quoted, trace = text.partition("Error whilst parsing config file:")
    if quoted:
        # A config that raises a ValueError or TypeError is quoted with its whole traceback, the message last.
        return trace.rpartition("\nValueError: ")[2] or trace.strip().rpartition("\n")[2]
    if isinstance(error, flags.Error):
        return text
    places = traceback.extract_tb(error.__traceback__)
    if "has no attribute 'get_config'" in text:
        return "--config must name a file with a function get_config"
    if any(place.name in ("_LoadConfigModule", "get_config") for place in places):
        if isinstance(error, SyntaxError):
            return f"--config: the file raised {type(error).__name__}: {text}"
        place = f"{places[-1].filename}, line {places[-1].lineno}"
        return f"--config: the file raised {type(error).__name__}: {text} ({place})"
    if isinstance(error, AttributeError | KeyError):
        # A setting that a config doesn't have: ml_collections wraps what it says in errors within errors.
        reason: object = error
        while isinstance(reason, Exception) and reason.args:
            reason = reason.args[0]
        return f"the config has no setting {reason}"
    return text or type(error).__name__
