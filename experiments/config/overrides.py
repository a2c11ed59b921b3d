"""Settings of a config file that the flags --config.KEY of a command change."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags
from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

RECORDED = ("chosen", "init_symbols", "schema_version")
"""Settings that a run records when it begins; flags must not set them."""

_FLAG = re.compile(r"--?(no)?config\.([^=]+)(?:=(.*))?", re.DOTALL)
_NUMBERS: Mapping[type, flags.ArgumentParser] = {int: flags.IntegerParser(), float: flags.FloatParser()}


class Parser(flags.ArgumentParser):
    """Loads a config file as another parser does, and prepares it for the flags of a command."""

    def __init__(self, parser: flags.ArgumentParser, arguments: Callable[[], Sequence[str]]):
        """Wraps a parser.

        Args:
          parser: the parser of the flag --config.
          arguments: function that returns the arguments of the command.
        """
        self._parser = parser
        self._arguments = arguments

    def parse(self, argument: str) -> Any:
        """Loads the config file of a path; raises flags.Error if its `get_config` returns None."""
        config, texts = self._parser.parse(argument), given(self._arguments())
        if config is None:
            raise flags.Error(f"--config: get_config of {argument} must return a ConfigDict, got None")
        # A frozen config cannot be unlocked, and needs no preparation without flags.
        if texts and isinstance(config, ConfigDict):
            with config.unlocked():
                prepare(config, texts)
        return config

    def flag_type(self) -> str:
        """Returns the type of the flag for its description."""
        return self._parser.flag_type()


def given(arguments: Sequence[str]) -> dict[str, str]:
    """Returns the texts of the flags --config.KEY by their paths KEY; of several texts of a flag, the last.

    Args:
      arguments: the arguments of a command.

    Raises:
      ValueError: a flag sets a setting that runs record.
    """
    found = {}
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if match := _FLAG.fullmatch(argument):
            no, path, text = match.groups()
            if path.split(".")[0] in RECORDED:
                raise ValueError(f"--config.{path} must not be given: runs record it themselves")
            found[path] = "False" if no else following if text is None else text
    return found


def prepare(config: ConfigDict, texts: Mapping[str, str]) -> None:
    """Prepares a config for changes by flags, in place.

    Missing sections are created; unknown ones are refused where the config is parsed and built. A number of the
    algorithm takes a text that is no number, such as a schedule. The sweep takes a text or a mapping.

    Args:
      config: the config, not locked.
      texts: the texts of the flags by the paths of the settings.
    """
    if "sweep" in texts:
        _retype(config, "sweep", object)
    for path, text in texts.items():
        *parents, name = path.split(".")
        section: Any = config
        for parent in parents:
            if isinstance(section, ConfigDict) and parent not in section and parent.isidentifier():
                section[parent] = ConfigDict()
            section = section.get(parent) if isinstance(section, ConfigDict) else None
        if path.startswith("algorithm.") and isinstance(section, ConfigDict) and name in section:
            kind = section.get_type(name)
            if kind in _NUMBERS and not _reads(kind, text):
                _retype(section, name, float if _reads(float, text) else str)


def text_of(value: Any, parser: flags.ArgumentParser) -> str:
    """Returns the text of a flag --config.KEY that sets a value.

    Args:
      value: the value.
      parser: the parser of the flag.
    """
    if isinstance(value, str) and type(parser) is flags.ArgumentParser:
        return value
    return repr(value.to_dict() if isinstance(value, ConfigDict) else value)


def _reads(kind: type, text: str) -> bool:
    """Returns whether a text is a number of a type."""
    try:
        _NUMBERS[kind].parse(text)
    except ValueError:
        return False
    return True


def _retype(section: ConfigDict, name: str, kind: type) -> None:
    """Leaves a setting, which a flag sets, without a value and with another type."""
    if name in section:
        del section[name]
    section[name] = placeholder(kind)
