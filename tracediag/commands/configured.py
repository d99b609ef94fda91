"""The options of every command that reads the configuration, and the configuration in force."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.commands.errors import UsageError
from tracediag.commands.parser import CommonOptions

if TYPE_CHECKING:
    from tracediag.config import Settings


class ConfiguredOptions(CommonOptions, kw_only=True):
    """The options that `add_configured` declares."""

    config: tuple[str, ...] = ()
    isolated: bool = False
    rules: tuple[str, ...] = ()


def add_configured(parser: argparse.ArgumentParser) -> None:
    """Declare --rules and the options of the configuration."""
    parser.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="also apply the rules that are pages in DIR (may be repeated); the configuration may name more",
    )
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare --config and --isolated."""
    parser.add_argument(
        "--config",
        metavar="FILE|KEY=VALUE",
        action="append",
        default=[],
        help="read this configuration instead of the nearest tracediag.toml or pyproject.toml, or set one key of it",
    )
    parser.add_argument("--isolated", action="store_true", help="read no configuration file")


def settings_for(options: ConfiguredOptions) -> Settings:
    """Return the configuration in force.

    Raises:
        UsageError: if the file, or a value of --config, is wrong.
    """
    from tracediag.config import ConfigError, SettingError, settings_of

    try:
        start = Path.cwd()
    except OSError:  # the working directory is gone: there is no file to look for
        start = Path("/nonexistent")
    try:
        return settings_of(start, options.config, isolated=options.isolated)
    except (ConfigError, SettingError) as error:
        raise UsageError(str(error)) from None
