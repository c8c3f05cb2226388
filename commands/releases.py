"""`melon releases` and `melon status`: the releases of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from melon.commands.completion import known
from melon.commands.console import for_store, note, print_json, print_table
from melon.commands.options import JsonOption, PathOption, UrlOption, chosen_store, opened_reader
from melon.errors import counted

if TYPE_CHECKING:
    from melon.ranking import Ranking

app = typer.Typer(
    help="List a store's releases; promote, drop or prune them.", no_args_is_help=False
)
ReleaseArgument = Annotated[
    str,
    typer.Argument(help="Name of a release.", show_default=False, autocompletion=known("releases")),
]


@app.callback(invoke_without_command=True)
def releases(
    context: typer.Context,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a store's releases, newest first, the live one marked; promote, drop or prune them."""
    context.obj = (url, path)
    if context.invoked_subcommand:
        return
    store = chosen_store(url, path)
    infos = store.releases()
    _note_astray(store.astray())
    if as_json:
        print_json([info.to_json() for info in infos])
        return
    if not infos:
        note(for_store("there are no releases: `melon ingest` makes one"))
        return
    print_table(
        "Releases (times in UTC)",
        ["", "release", "created", "songs>", "tags>", "playlists>", "words>", "space"],
        [
            (
                "live" if info.live else "",
                info.manifest.release,
                f"{info.manifest.created:%Y-%m-%d %H:%M}",
                *(f"{count:,}" for count in info.manifest.counts.values()),
                info.manifest.space[:8],
            )
            for info in infos
        ],
    )


@app.command()
def promote(
    context: typer.Context,
    release: ReleaseArgument,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Make a release the live one, in one step: this is how to roll back."""
    store = chosen_store(url or context.obj[0], path or context.obj[1], to_write=True)
    store.promote(release)
    note(f"release {release} is live")


@app.command()
def drop(
    context: typer.Context,
    release: ReleaseArgument,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Delete a release that is not live."""
    store = chosen_store(url or context.obj[0], path or context.obj[1], to_write=True)
    store.drop(release)
    note(f"release {release} was removed")


@app.command()
def prune(
    context: typer.Context,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Remove all but so many releases, too: the live one and the one that was live"
            " before it always stay, then the newest. [default: all stay]",
            show_default=False,
        ),
    ] = None,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Remove what killed builds and drops left behind, and old releases."""
    from melon.store import prune as remove

    store = chosen_store(url or context.obj[0], path or context.obj[1], to_write=True)
    pruned = remove(store, keep=keep)
    for release in pruned.releases:
        note(f"release {release} was removed")
    for left in pruned.left_behind:
        note(f"{left} was left behind, and removed")
    if not pruned.releases and not pruned.left_behind:
        note("there was nothing to remove")


@app.command()
def unlock(
    context: typer.Context,
    force: Annotated[
        bool,
        typer.Option("--force", help="Remove those of processes that may be at work, too."),
    ] = False,
    url: UrlOption = None,
    path: PathOption = None,
) -> None:
    """Remove marks of work under way on a server that cannot be right, or whose process ended."""
    store = chosen_store(url or context.obj[0], path or context.obj[1], to_write=True)
    unlocked = store.unlock(force=force)
    for removed in unlocked.removed:
        note(f"removed: {removed}")
    for kept in unlocked.kept:
        note(f"left: {kept} (--force removes it)")
    if not unlocked.removed and not unlocked.kept:
        note("nothing is marked as under way")


def status(url: UrlOption = None, path: PathOption = None, as_json: JsonOption = False) -> None:
    """Say which store answers, which release is live, by which strategy, and what is in it."""
    from melon.retrieval import DEFAULT_STRATEGY, UnknownStrategy, check_answers
    from melon.settings import load_settings
    from melon.store import SCHEMA_VERSION, Collection, damaged_release, faults

    store = chosen_store(url, path)
    astray = store.astray()
    _note_astray(astray)
    reader = opened_reader(store, None) if store.live() is not None else None
    facts: dict[str, Any] = {
        "store": store.location,
        "engine": store.engine_version(),
        "live": reader.manifest.release if reader else None,
        "releases": len(store.releases()),
        "schema_version": SCHEMA_VERSION,
    }
    counts: dict[str, int] = {}
    wrong: list[str] = []
    if reader:
        manifest = reader.manifest
        for collection in Collection:
            if found := faults(reader, collection):
                wrong += found
            else:
                counts[str(collection)] = reader.count(collection)
        facts |= {
            "schema_version": manifest.schema_version,
            "space": manifest.space,
            "dim": manifest.dim,
            "preset": str(manifest.preset),
            "created": manifest.created.isoformat(timespec="seconds"),
        }
        ranking = manifest.ranking
        own = ranking.strategy if ranking else DEFAULT_STRATEGY
        strategy = load_settings().strategy or own
        if as_json:
            learned = ranking and ranking.model_dump(include={"strategy", "questions", "trials"})
            facts |= {"strategy": strategy, "ranking": learned}
        else:
            facts["space"] = facts["space"][:12]
            chosen = "" if strategy == own else f"{strategy}, by MELON_STRATEGY in place of "
            facts["answers_by"] = f"{chosen}{own}: {worth(ranking)}"
    if as_json:
        print_json(facts | {"aliases_astray": astray, "counts": counts, "faults": wrong})
    else:
        rows = [*facts.items(), *((f"points in {name}", f"{n:,}") for name, n in counts.items())]
        print_table("Status", ["", ""], [(name.replace("_", " "), value) for name, value in rows])
    if reader:
        try:
            check_answers(strategy, reader.manifest)
        except UnknownStrategy as error:
            note(f"warning: {strategy} cannot answer: {error.what}")
            note(f"hint: {error.hint}")
    if reader and wrong:
        raise damaged_release(reader.manifest.release, wrong)


def worth(ranking: Ranking | None) -> str:
    """What a release's own strategy is worth beside the best other one, as far as it is known."""
    if ranking is None:
        return "nothing was learned in training of what suits this catalogue"
    if not ranking.questions:
        return "playlists were too few, too short or too unlike to learn what suits this catalogue"
    trials = {trial.strategy: trial for trial in ranking.trials}
    own = trials.pop(ranking.strategy, None)
    asked = counted(ranking.questions, "question")
    if own is None or not trials:
        return f"{own.score:.3f} on {asked}" if own else f"chosen on {asked}"
    best = next(iter(trials.values()))
    return (
        f"{own.score:.3f} beside {best.score:.3f} of {best.strategy} on {asked} "
        f"({-best.difference:+z.3f} ± {best.standard_error:.3f})"
    )


def _note_astray(aliases: dict[str, str | None]) -> None:
    for alias, named in aliases.items():
        what = f"names {named}, not the live release" if named else "is missing"
        note(f"warning: the aliases disagree: {alias} {what}")
    if aliases:
        hint = "promote a release with `melon releases promote`, or run `melon ingest` again"
        note(f"hint: {for_store(hint)}")
