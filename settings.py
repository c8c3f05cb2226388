"""Everything that `MELON_*` environment variables configure, with its defaults, in one place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from melon.errors import InputError, first_problem

ENV_PREFIX = "MELON_"
DEFAULT_SERVER_URL = "http://localhost:6333"
StrategyName = Literal["hybrid", "neighbours", "mean", "vote", "cluster"]
MISSPELT = 0.9
"""A variable whose name is as similar to a setting's, by `difflib`, is a misspelt one."""


class Settings(BaseModel):
    """Where melon keeps things and which Qdrant it talks to.

    Field `qdrant_url` is read from `MELON_QDRANT_URL`, and so on. An API key is a secret: it is
    never printed, not even in an error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    qdrant_url: str | None = Field(default=None, description="URL of a Qdrant server")
    qdrant_api_key: SecretStr | None = Field(default=None, description="API key of the server")
    qdrant_grpc_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="gRPC port of the server, its REST port + 1 by default",
    )
    qdrant_ca_cert: Path | None = Field(
        default=None, description="PEM file of a private TLS authority"
    )
    qdrant_timeout: int = Field(default=60, ge=1, description="seconds until a request is given up")
    shard_number: int = Field(default=1, ge=1, description="shards per collection on a cluster")
    replication_factor: int = Field(
        default=1, ge=1, description="copies of each shard on a cluster"
    )
    prefix: str = Field(
        default="melon", pattern=r"^[A-Za-z][A-Za-z0-9-]*$", description="prefix of the aliases"
    )
    home: Path = Field(
        default=Path(".melon"), description="directory of the embedded store and space"
    )
    retrieval: Path | None = Field(
        default=None,
        description="JSON file of retrieval settings, instead of `retrieval.json` in the home",
    )
    strategy: StrategyName | None = Field(
        default=None, description="how queries are answered, instead of the release's own strategy"
    )

    @field_validator("qdrant_api_key")
    @classmethod
    def _is_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        """Files end with a line break that a key does not; what else no header holds is refused."""
        stripped = key.get_secret_value().strip() if key else ""
        if not (stripped.isascii() and stripped.isprintable()):
            raise PydanticCustomError("api_key", "an API key is one line of printable ASCII")
        return SecretStr(stripped) if stripped else None

    @field_validator("home", "retrieval", "qdrant_ca_cert")
    @classmethod
    def _in_home_directory(cls, path: Path | None) -> Path | None:
        """Expand a `~` that no shell has seen: in a Dockerfile, say, or in quotes."""
        try:
            return path and path.expanduser()
        except RuntimeError:
            raise PydanticCustomError(
                "home_directory", "no home directory is known for {path}", {"path": repr(str(path))}
            ) from None

    @property
    def space_dir(self) -> Path:
        """Where `melon train` leaves the space that `melon ingest` takes by default."""
        return self.home / "space"

    @property
    def store_dir(self) -> Path:
        """Directory of the embedded store."""
        return self.home / "store"

    @property
    def retrieval_file(self) -> Path:
        """Where `melon tune` leaves the retrieval settings that `melon query` takes up."""
        return self.retrieval or self.home / "retrieval.json"

    @property
    def tuned(self) -> Path | None:
        """The retrieval settings to take up instead of the built-in ones, if there are any.

        A file that is named has to be there; the one in the home need not.
        """
        return self.retrieval_file if self.retrieval or self.retrieval_file.exists() else None


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from the environment.

    Raises:
        InputError: a `MELON_*` variable holds a value that cannot be used, or has the misspelt name
            of a setting. Variables of other names are left to others.
    """
    names = {ENV_PREFIX + field.upper(): field for field in Settings.model_fields}
    for variable in environ:
        if variable.startswith(ENV_PREFIX) and variable not in names:
            _check_spelling(variable, names)
    values = {field: environ[name] for name, field in names.items() if environ.get(name)}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problem = first_problem(error)
        variable = ENV_PREFIX + problem.place.upper()
        raise InputError(problem.what, where=f"environment variable {variable}") from None


def _check_spelling(variable: str, names: Iterable[str]) -> None:
    """Refuse `MELON_QDRANT_ULR`, which would have a store in this directory answer instead."""
    import difflib

    if meant := difflib.get_close_matches(variable, names, n=1, cutoff=MISSPELT):
        raise InputError(
            "melon has no setting of this name",
            where=f"environment variable {variable}",
            hint=f"did you mean {meant[0]}?",
        )
