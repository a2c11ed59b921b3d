"""Helpers of the commands: one-line errors, the parsing of flags, and output to the screen."""

import contextlib
import errno
import itertools
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
from experiments.config import locate, overrides

# Flags that functions of this module define are listed by the `--help` of the command that calls the function.
flags.disclaim_key_flags()

# Flags that name a folder, several folders, or a file.
_FOLDERS = ("workdir", "workdirs", "input", "output")
_INTERRUPTED = 130
# Columns of the output without a terminal.
_WIDTH = 100
# Messages of the file system, as they occur in the errors of libraries that write in the background.
_REFUSALS = [os.strerror(each) for each in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EIO)]


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Prints a user's mistake, a ValueError or an OSError, as one line on stderr, and exits with status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        _fail(str(error))


@contextlib.contextmanager
def one_line_disk_errors(note: str) -> Iterator[None]:
    """Prints an error of the file system, such as a full disk, as one line on stderr, and exits with status 1.

    Args:
      note: text to print after the error.
    """
    try:
        yield
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        _fail(f"{refusal}; {note}")


def screen() -> Console:
    """Returns a console for the standard output, as wide as the terminal, or 100 columns wide without a terminal.

    Texts are printed as they are: markup such as `[red]` and emoji codes such as `:o:` also occur in users' strings. If
    there are several processes, only the first one prints.
    """
    console = Console(quiet=not processes.is_first(), markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


@contextlib.contextmanager
def one_line_flag_errors() -> Iterator[None]:
    """Prints an error in the definition or parsing of flags as one line on stderr, and exits with status 1."""
    with one_line_errors():
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            raise ValueError(_flag_error(error)) from error


def define_config(
    default: str | None,
    help_string: str,
    *,
    values: flags.FlagValues = flags.FLAGS,
    argv: list[str] | None = None,
) -> Any:
    """Defines the flags --config and --config.KEY of a command, and returns their holder for `given_config`.

    Config files are found as in `experiments.config.locate`. A default file is run during this call, with the settings
    that the command line changes. --config.KEY may also name a setting or a section that the file leaves out, such as
    an argument of a network. Unknown settings are refused where the config is parsed and built. A number of the
    algorithm also takes the text of a schedule.

    Args:
      default: the config file to use if none is named; None for no config.
      help_string: description of --config.
      values: the flags to define them in.
      argv: the name and arguments of the command, None for those of the process; a config file in it is located.
    """
    argv = sys.argv if argv is None else argv
    locate.locate(argv)

    def expanded() -> list[str]:
        return values.read_flags_from_files(argv, force_gnu=False)

    with one_line_flag_errors():
        overrides.given(expanded())
        config = config_flags.DEFINE_config_file(
            "config",
            help_string=help_string,
            flag_values=values,
            lock_config=False,
            accept_new_attributes=True,
            sys_argv=argv,
        )
        flag = values[config.name]
        flag.parser = overrides.Parser(flag.parser, expanded)
        if default is not None:
            flags.set_default(config, default)
        return config


def given_config(config: Any) -> Any:
    """Returns the config given by the flags of `define_config`; prints an error in its file as one line on stderr."""
    with one_line_flag_errors():
        value = config.value
        # The placeholder for a file that could not be loaded raises an OSError on any attribute access.
        getattr(value, "items", None)
        return value


def given_changes(values: flags.FlagValues = flags.FLAGS) -> dict[str, str]:
    """Returns the texts of the flags --config.KEY, parsed, by the paths KEY; another command reads them in this way."""
    changed = config_flags.get_override_values(values["config"])
    return {path: overrides.text_of(value, values[f"config.{path}"].parser) for path, value in changed.items()}


def run(main: Callable[..., None], *, files: bool = False) -> None:
    """Parses the flags of a command, with one-line errors, and calls it.

    Args:
      main: the function to call after the flags are parsed.
      files: whether the command takes arguments that are not flags; they are passed to `main`.
    """

    def parse(argv: Sequence[str]) -> list[str]:
        with one_line_flag_errors():
            rest = flags.FLAGS(argv)
            check_arguments([] if files else rest[1:], argv=argv)
        return rest

    def call(rest: Sequence[str]) -> None:
        try:
            main(*rest[1:])
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            sys.exit(_INTERRUPTED)

    threading.excepthook = _print_thread_error
    # orbax logs warnings that do not concern the run; errors that do are also raised.
    logging.set_verbosity(logging.FATAL)
    app.run(call, flags_parser=parse)


@contextlib.contextmanager
def reader_may_stop() -> Iterator[None]:
    """Stops printing without an error when the reader of the output, such as `head`, closes it."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes the standard output once more at exit, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_output_file(path: str, flag: str) -> None:
    """Raises ValueError if a file cannot be written: its folder is missing or not writable, or it is a folder."""
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{flag} must be a file in a folder that exists, got {path!r}: there is no {folder}")
    if Path(path).is_dir():
        raise ValueError(f"{flag} must be a file, got {path!r}, a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{flag} must be writable, got {path!r}: no permission in {folder}")


def check_arguments(rest: Sequence[str], values: flags.FlagValues = flags.FLAGS, *, argv: Sequence[str] = ()) -> None:
    """Checks the arguments and the folder flags of a command.

    Args:
      rest: the arguments that are not flags.
      values: the parsed flags.
      argv: all arguments, for the error.

    Raises:
      ValueError: `rest` is not empty, or a flag that names a folder or a file is an empty text, such as an unset shell
        variable.
    """
    if rest:
        before = next((one for one, other in itertools.pairwise(argv) if other == rest[0]), "")
        is_setting = before.startswith(("--config.", "-config.")) and "=" not in before
        such = f"{before}={rest[0]}" if is_setting else "--workdir=DIR"
        raise ValueError(f"arguments must be flags such as {such}, got {rest[0]!r}")
    for name in _FOLDERS:
        value = values[name].value if name in values else None
        folders = [value] if isinstance(value, str) else value or []
        if any(not folder.strip() for folder in folders):
            raise ValueError(f"--{name} must name a folder or a file, got an empty text")


def _fail(message: str) -> NoReturn:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    # Silences errors of objects that still read or write in the background.
    sys.unraisablehook = lambda _: None
    sys.exit(1)


def _print_thread_error(arguments: threading.ExceptHookArgs) -> None:
    """Prints the traceback of an error in a thread, except for a disk error, which the next write reports."""
    if arguments.exc_value is None or _refusal(arguments.exc_value) is None:
        threading.__excepthook__(arguments)


def _refusal(error: BaseException) -> str | None:
    """Returns the message of the file system if it caused an error; else None."""
    said = next((text for text in _REFUSALS if text in str(error)), None)
    return str(error) if said is None and isinstance(error, OSError) else said


def _flag_error(error: Exception) -> str:
    """Returns the message to print for an error in flags or in a user's config file."""
    text = str(error).strip()
    _, quoted, trace = text.partition("Error whilst parsing config file:")
    if quoted:
        # A config that raises a ValueError or TypeError is quoted with its whole traceback; its message comes last.
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
        # A setting that the config does not have: ml_collections nests the message in several errors.
        reason: object = error
        while isinstance(reason, Exception) and reason.args:
            reason = reason.args[0]
        return f"the config has no setting {reason}"
    return text or type(error).__name__
