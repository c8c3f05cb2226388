"""The reference of the `melon` command, made from the command itself.

`python scripts/cli_reference.py` writes docs/cli.md; a test fails when that is stale.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from melon.cli import command_line

TARGET = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

HEAD = """\
# The `melon` command

<!-- Made by scripts/cli_reference.py (`make docs`): change the help of the command instead. -->

Results go to stdout, everything else to stderr. The exit code is 0, or 2 if the input is wrong, or
1 if the environment failed: a store that cannot be reached, a file that cannot be written; or 130
if Ctrl-C interrupted it, 143 if SIGTERM did, or 3 where `query` or `similar` has `--strict` and the
store knows nothing of what is asked. Commands that print results take `--json`, whose fields may be
added to and are never renamed: see [what `--json` prints](json.md).

The store is the first of these that is there: `--url`, `--path`, `MELON_QDRANT_URL`, a Qdrant
server that is found on localhost:6333, the embedded store below `.melon/`. One line on stderr says
which it is ([more](operations.md#which-store)). All `MELON_*` variables are listed in
[settings.md](settings.md).

`melon --install-completion` has the shell complete commands, options, strategies, and the tags,
genres, artists, songs, playlists and releases of the store that the line names.
"""


@dataclass(frozen=True)
class Parameter:
    """An argument or an option, as the signature of a command declares it."""

    name: str
    annotation: Any
    declared: Any
    default: Any

    @property
    def is_option(self) -> bool:
        """Whether it has a name on the command line."""
        return isinstance(self.declared, OptionInfo)

    @property
    def panel(self) -> str:
        """The panel of the help that an option is in."""
        return self.declared.rich_help_panel or ""

    @property
    def metavar(self) -> str:
        """The argument, as usage lines show it."""
        many = "..." if get_origin(self.annotation) is list else ""
        name = self.name.upper() + many
        return name if self.default is inspect.Parameter.empty else f"[{name}]"

    def row(self) -> str:
        """A row of a table."""
        help = (self.declared.help or "").replace("|", "\\|")
        if not self.is_option:
            return f"| `{self.metavar}` | {help} |"
        # With `Annotated`, Typer keeps the first name of an option where its default was once.
        parts = [self.declared.default, *(self.declared.param_decls or ())]
        names = [name for name in parts if isinstance(name, str)]
        names = names or [f"--{self.name.replace('_', '-')}"]
        if self.default is inspect.Parameter.empty:
            default = " [required]"
        else:
            default = f" [default: {self.default}]" if self.default not in (None, False) else ""
        return f"| {', '.join(f'`{name}`' for name in names)} | {self._kind()} | {help}{default} |"

    def _kind(self) -> str:
        [kind] = [part for part in _flat(self.annotation) if part is not NoneType]
        if issubclass(kind, Enum):
            return " or ".join(str(member.value) for member in kind)
        return {str: "text", int: "number", float: "number", Path: "path", bool: ""}[kind]


def reference() -> str:
    """The whole document."""
    sections = [section(f"melon {name}", function) for name, function in commands(command_line())]
    return "\n".join([HEAD, *sections]).rstrip("\n") + "\n"


def commands(of: typer.Typer) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Names and functions of all commands, in the order of `melon --help`."""
    for command in of.registered_commands:
        assert command.callback
        yield command.name or command.callback.__name__.replace("_", "-"), command.callback
    for group in of.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        if (callback := inner.registered_callback) and callback.callback:
            yield str(group.name), callback.callback
        yield from ((f"{group.name} {name}", function) for name, function in commands(inner))


def section(path: str, function: Callable[..., Any]) -> str:
    """Usage, what the command does, its arguments and its options."""
    parameters = list(_parameters(function))
    arguments = [p for p in parameters if not p.is_option]
    options = [p for p in parameters if p.is_option]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(p.metavar for p in arguments)])
    lines = [f"## {path}", "", "```", usage, "```", "", inspect.getdoc(function) or "", ""]
    if arguments:
        lines += ["| argument | |", "|---|---|", *(p.row() for p in arguments), ""]
    panels = dict.fromkeys(("", *(option.panel for option in options)))
    for panel in panels:
        if rows := [option.row() for option in options if option.panel == panel]:
            lines += [f"| {panel or 'option'} | | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        match get_args(hints[name]):
            case (annotation, OptionInfo() | ArgumentInfo() as declared):
                yield Parameter(name, annotation, declared, parameter.default)


def _flat(annotation: Any) -> list[Any]:
    """The types that a union or a list is made of."""
    return [part for arg in get_args(annotation) for part in _flat(arg)] or [annotation]


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
