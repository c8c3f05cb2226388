"""Everything that `MELON_*` environment variables configure, with its defaults, in one place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from melon.errors import InputError, UnreadableFile, first_problem

ENV_PREFIX = "MELON_"
DEFAULT_SERVER_URL = "http://localhost:6333"
StrategyName = Literal["hybrid", "neighbours", "learned", "mean", "vote", "cluster"]
NOT_A_KEY = "an API key is one line of printable ASCII"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MISSPELT = 0.9
"""A variable whose name is as similar to a setting's, by `difflib`, is a misspelt one."""


class Settings(BaseModel):
    """Where melon keeps things and which Qdrant it talks to.

    Field `qdrant_url` is read from `MELON_QDRANT_URL`, and so on. An API key is a secret: it is
    never printed, not even in an error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    qdrant_url: str | None = Field(default=None, description="URL of a Qdrant server", repr=False)
    qdrant_api_key: SecretStr | None = Field(default=None, description="API key of the server")
    qdrant_api_key_file: Path | None = Field(
        default=None, description="file that holds the API key, instead"
    )
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
        default=Path(".melon"), description="directory of the embedded store, space and maps"
    )
    retrieval: Path | None = Field(
        default=None,
        description="JSON file of retrieval settings, in place of built-in ones",
    )
    strategy: StrategyName | None = Field(
        default=None, description="how queries are answered, instead of the release's own strategy"
    )
    serve_api_key: SecretStr | None = Field(
        default=None, description="API key that requests to `melon serve` have to bear"
    )
    serve_api_key_file: Path | None = Field(
        default=None, description="file that holds that API key, instead"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _on_one_line(cls, value: object) -> object:
        """Leave out the white space that files and shells leave around a value."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        text = text.strip()
        if _CONTROLS.search(text):
            raise PydanticCustomError("control_character", "there is a control character in it")
        return SecretStr(text) if isinstance(value, SecretStr) else text

    @field_validator("qdrant_api_key", "serve_api_key")
    @classmethod
    def _is_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not key.get_secret_value().isascii():
            raise PydanticCustomError("api_key", NOT_A_KEY)
        return key if key and key.get_secret_value() else None

    @field_validator("qdrant_api_key_file", "serve_api_key_file")
    @classmethod
    def _is_the_only_key(cls, path: Path | None, others: ValidationInfo) -> Path | None:
        name = str(others.field_name).removesuffix("_file")
        if path and others.data.get(name):
            variable = ENV_PREFIX + name.upper()
            raise PydanticCustomError(
                "two_keys", "{variable} is there, too: unset one", {"variable": variable}
            )
        return path

    @field_validator(
        "home", "retrieval", "qdrant_ca_cert", "qdrant_api_key_file", "serve_api_key_file"
    )
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
    def api_key(self) -> str | None:
        """The API key of the server, from its file if it is in one.

        Raises:
            InputError: the file cannot be read, or holds no key.
        """
        return _key(self.qdrant_api_key, self.qdrant_api_key_file)

    @property
    def service_key(self) -> str | None:
        """The API key of `melon serve`, from its file if it is in one.

        Raises:
            InputError: the file cannot be read, or holds no key.
        """
        return _key(self.serve_api_key, self.serve_api_key_file)

    @property
    def space_dir(self) -> Path:
        """Where `melon train` leaves the space that `melon ingest` takes by default."""
        return self.home / "space"

    @property
    def store_dir(self) -> Path:
        """Directory of the embedded store."""
        return self.home / "store"


def _key(key: SecretStr | None, path: Path | None) -> str | None:
    if path is None:
        return key.get_secret_value() if key else None
    try:
        text = path.read_text(encoding="latin-1").strip()
    except OSError as error:
        raise UnreadableFile.from_os_error(path, error) from error
    if not (text and text.isascii() and text.isprintable()):
        raise InputError(NOT_A_KEY, where=str(path))
    return text


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
    values = {
        field: environ[name] for name, field in names.items() if environ.get(name, "").strip()
    }
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
