"""From the first upload to a release that is promoted: melon beside Qdrant's default settings.

    python benchmarks/release.py --scale 1/4 [--repeats 1] [--json FILE]
    python benchmarks/release.py SPACE [--own-fields] …

`melon` is what `melon ingest` does, on the server and embedded. `defaults` is what one would write
with qdrant-client: collections as they are by default with their payload indexes, `upload_points`,
then waiting until they are green. Each in a process of its own, in turns. The recall is that of
`filtered_search.py` under the filter where it is worst, with the same beam for all. With
`--own-fields`, melon is measured with ten own fields of the songs beside without.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing

import apart
from filtered_search import filters_of, questions, recall
from harness import Report
from own_fields import FIELDS, own_filters, with_own_fields
from points import bare_manifest, create, structs
from qdrant_client import QdrantClient, models
from scaled import data_parser, described, space_path

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.ingest.contents import SparseWeights, contents
from melon.settings import Settings
from melon.store import Collection, ReleaseReader, open_store
from melon.store.schema import collection_name
from melon.store.server.connection import ServerAddress, ServerConnection
from melon.store.server.reader import ServerReader

SERVER, DEFAULTS, EMBEDDED = "melon, server", "defaults, server", "melon, embedded"
OWN = " + own fields"
WITHOUT_OWN = {SERVER + OWN: SERVER, EMBEDDED + OWN: EMBEDDED}
RELEASE = "r1"
POLL_SECONDS = 0.5


def main() -> None:
    """Run every method in turns, each in a process of its own."""
    args = _arguments()
    if args.method:
        _build(args)
        return
    space = space_path(args)
    report = Report("release", described(EmbeddingSpace.load(space)))
    command = [__file__, str(space), "--queries", str(args.queries)]
    compared = WITHOUT_OWN if args.own_fields else dict.fromkeys((SERVER, EMBEDDED), DEFAULTS)
    methods = (*compared, *dict.fromkeys(compared.values()))
    measured = apart.runs_of(methods, command, repeats=args.repeats, scratch=args.scratch)
    figures = {method: apart.medians(runs) for method, runs in measured.items()}
    for method, base in compared.items():
        report.add("release", method, figures[method], against={base: figures[base]})
    for base in dict.fromkeys(compared.values()):
        report.add("release", base, figures[base])
    report.conclude(args.json)


def _build(args: argparse.Namespace) -> None:
    """One method, in this process."""
    space = EmbeddingSpace.load(args.space)
    if args.method in WITHOUT_OWN:
        space = with_own_fields(space)
    build = _with_defaults if args.method == DEFAULTS else _with_melon
    args.json.write_text(json.dumps(build(args, space)))


def _with_melon(args: argparse.Namespace, space: EmbeddingSpace) -> dict[str, float]:
    settings = Settings(qdrant_grpc_port=args.grpc_port, qdrant_timeout=600)
    on_server = args.method.startswith(SERVER)
    where = {"url": args.url} if on_server else {"path": args.json.parent / "embedded"}
    begun: dict[str, float] = {}

    def watch(step: str, *_: object) -> None:
        begun.setdefault(step.split()[0], time.perf_counter())

    with open_store(settings, **where) as store:
        ingest(space, store, progress=watch)
        end = time.perf_counter()
        least = _least_recall(store.open(), space, args.queries)
    # The clock starts with the first batch; until then the points are laid out, in both methods.
    start = begun["upload"]
    return {
        "s": end - start,
        "upload s": begun["index"] - start,
        "index s": begun["check"] - begun["index"],
        "check s": end - begun["check"],
        "least recall@100": least,
    }


def _with_defaults(args: argparse.Namespace, space: EmbeddingSpace) -> dict[str, float]:
    laid_out = contents(space, SparseWeights())
    address = ServerAddress(args.url, grpc_port=args.grpc_port, timeout=600)
    with closing(QdrantClient(args.url, timeout=600, check_compatibility=False)) as client:
        names = {name: collection_name(address.prefix, name, RELEASE) for name in Collection}
        start = time.perf_counter()
        for collection, part in laid_out.items():
            create(client, names[collection], collection, space.dim, indexes=True)
            client.upload_points(names[collection], structs(collection, part, len(part)))
        sent = time.perf_counter()
        for name in names.values():
            while client.get_collection(name).status != models.CollectionStatus.GREEN:
                time.sleep(POLL_SECONDS)
        end = time.perf_counter()
        for collection, name in names.items():
            stored, wanted = client.count(name).count, len(laid_out[collection])
            if stored != wanted:
                raise RuntimeError(f"{name} has {stored} points of {wanted}")
    with closing(ServerConnection(address)) as connection:
        reader = ServerReader(connection, bare_manifest(space, RELEASE))
        figures = {
            "s": end - start,
            "upload s": sent - start,
            "index s": end - sent,
            "check s": 0.0,
        }
        return figures | {"least recall@100": _least_recall(reader, space, args.queries)}


def _least_recall(reader: ReleaseReader, space: EmbeddingSpace, queries: int) -> float:
    vectors = questions(space, queries)
    filters = filters_of(space) | (own_filters() if space.fields == FIELDS else {})
    return min(recall(reader, vectors, filter) for filter in filters.values())


def _arguments() -> argparse.Namespace:
    made = data_parser(__doc__)
    made.add_argument("--repeats", type=int, default=1)
    made.add_argument("--own-fields", action="store_true", help="with own fields beside without")
    made.add_argument("--queries", type=int, default=100, help="that recall is measured with")
    apart.add_arguments(made)
    return made.parse_args()


if __name__ == "__main__":
    main()
