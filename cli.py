"""The `melon` command: registers the commands and turns errors into messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer

from melon.commands.completion import being_completed, join_words
from melon.commands.console import guard_stderr, named_stores, note_error, prepare_streams
from melon.commands.options import left_open
from melon.errors import InputError, MelonError, uncapitalized
from melon.processes import end_when_told

COMMANDS: Mapping[str, str] = {
    "import": "import_",
    "train": "train",
    "ingest": "ingest",
    "update": "update",
    "query": "query",
    "similar": "similar",
    "find": "lookup",
    "show": "lookup",
    "list": "lookup",
    "map": "map",
    "inspect": "inspect",
    "serve": "serve",
    "mcp": "mcp",
    "recommend": "recommend",
    "score": "score",
    "evaluate": "evaluate",
    "split": "split",
    "backup": "transfer",
    "restore": "transfer",
    "copy": "transfer",
    "releases": "releases",
    "status": "releases",
    "verify": "verify",
    "doctor": "doctor",
    "demo": "demo",
}
"""The commands, as the help lists them, and which module of `melon.commands` each is in."""

COLLECTED_AFTER = 100_000
"""New objects between two garbage collections. With Python's 700, some hundred collections would
take 7 % of a query's time while it imports what it needs, none of which is garbage."""


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with some of its commands: to prepare all of them takes 20 ms more."""
    app = typer.Typer(
        name="melon",
        help="Continue and tag music playlists: one co-embedding, served from Qdrant.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    for name in names:
        module = import_module(f"melon.commands.{COMMANDS[name]}")
        if name == "releases":  # which has commands of its own
            app.add_typer(module.app, name=name)
        else:
            # One whose name Python has for itself, as `import` and `list`, is a function `list_`.
            command = getattr(module, name, None) or getattr(module, f"{name}_")
            app.command(name, help=_unwrapped(command.__doc__ or ""))(command)
    return app


def _unwrapped(text: str) -> str:
    """Each paragraph on one line: Typer would keep its line breaks, and add others."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"melon {version('melon')}")
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Continue and tag music playlists: one co-embedding, served from Qdrant."""


def run() -> int:
    """Run the command that `sys.argv` names, and say how it ended.

    Returns:
        The exit code: 2 for what the user gave, 1 for what failed around us.
    """
    # Looking for plugins of pydantic, it would read the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Threads for matrices as small as ours take longer to start, and to wait for, than they save.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    prepare_streams()
    left_open.clear()  # of an earlier command in this process
    named_stores.clear()
    try:
        code = _run_app()
        sys.stdout.flush()  # a full disk is an error, too
        return code
    except MelonError as error:
        note_error(error)
        return error.exit_code
    except ModuleNotFoundError as error:  # on a host that was made to answer alone
        library = (error.name or "melon").partition(".")[0]
        if library == "melon":
            raise
        what = f"it takes {library}, which this installation leaves out"
        note_error(MelonError(what, hint="pip install melon"))
        return 1
    except BrokenPipeError:  # whoever read our output has seen enough
        return 1
    except OSError as error:  # a full disk, a directory that may not be written
        note_error(error)
        return 1


def main() -> None:
    """Run the command line, then exit without a shutdown of the interpreter.

    That would take time to tear down what was imported, and close the shards in `left_open`,
    which takes their files out of the page cache.
    """
    gc.set_threshold(COLLECTED_AFTER)
    end_when_told()
    prepare_streams()
    guard_stderr()
    code = run()
    with suppress(OSError):  # where an error ended the command, this is what came before it
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run_app() -> int:
    join_words()
    words = being_completed() or sys.argv
    asked = [word for word in words[1:2] if word in COMMANDS]
    app = command_line(asked or COMMANDS)
    try:
        # standalone, it would print what is wrong as it is
        return app(prog_name="melon", standalone_mode=False) or 0
    except SystemExit as end:
        return int(end.code or 0)
    except typer.Abort:
        note_error(MelonError("aborted"))
        return 1
    except _UsageError as error:
        return _show_usage(error)


_UsageError: Any = typer.BadParameter.__mro__[2]
"""What Typer raises for an option that is not there, and whatever else it does not understand."""


def _show_usage(error: Any) -> int:
    """Print what is wrong with a command line as every other error, in place of Typer's boxes."""
    if type(error).__name__ != "NoArgsIsHelpError":  # the help is there already
        command = getattr(error.ctx, "command_path", "melon")
        if command == "melon" and sys.argv[1:2] and sys.argv[1] in COMMANDS:
            command = f"melon {sys.argv[1]}"  # an option without its value knows no context
        error.message = uncapitalized(error.message or "")  # which stands after a colon
        what = uncapitalized(error.format_message()).rstrip(".")
        takes = "says what it takes"
        if "extra argument" in what and not _has_arguments(error.ctx):
            takes = "lists its options: it takes nothing else"
        note_error(InputError(what, hint=f"`{command} --help` {takes}"))
    return int(error.exit_code)


def _has_arguments(context: Any) -> bool:
    """Whether a command takes anything beside options."""
    return any(one.param_type_name == "argument" for one in context.command.params)


if __name__ == "__main__":
    main()
