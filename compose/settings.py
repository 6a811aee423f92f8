"""Settings: the only reader of the environment. All faults are told at once."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypedDict

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.domain.errors import SettingsFaulty

_PASSWORD: Final = re.compile(r"://[^:/@]*:(.+)@")


class ServerOptions(TypedDict):
    """Keyword arguments of `compose.embedded.servers`."""

    database_url: str | None
    redis_url: str | None
    postgres_bin: Path | None
    redis_bin: Path | None


def _database_url(url: str) -> str:
    """The URL, if both that read it can: SQLAlchemy and libpq. They are imported for who names one only."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = url.partition("://")
    if scheme not in ("postgresql", "postgresql+psycopg"):
        message = "it must begin with postgresql://"
        raise ValueError(message)
    try:
        make_url(url)
        conninfo_to_dict(f"postgresql://{rest}")
    except (ValueError, ArgumentError, ProgrammingError) as error:
        raise ValueError(_like("postgresql://user:password@host:5432/database", error)) from error
    return url


def _redis_url(url: str) -> str:
    """The URL, if redis-py can read it; imported for who names one only."""
    from redis.connection import parse_url

    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ValueError(_like("redis://host:6379, rediss:// or unix://", error)) from error
    return url


def _like(example: str, error: Exception) -> str:
    why = " ".join(str(error).split())
    return f"it must be like {example} ({why})"


class Settings(BaseSettings):
    """Everything that can be set by a `WELLSTREAM_*` variable. README's table of settings is made from this."""

    model_config = SettingsConfigDict(env_prefix="WELLSTREAM_", extra="ignore", frozen=True)

    data: Annotated[Path, Field(description="Folder of the embedded servers' data.")] = Path(
        "~/.local/share/wellstream"
    )
    host: Annotated[str, Field(min_length=1, description="Address that the services listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port that the services listen on.")] = 8050
    database_url: Annotated[
        Annotated[str, AfterValidator(_database_url)] | None,
        Field(description="PostgreSQL to use; without it one is embedded."),
    ] = None
    redis_url: Annotated[
        Annotated[str, AfterValidator(_redis_url)] | None,
        Field(description="Redis to use; without it one is embedded."),
    ] = None
    postgres_bin: Annotated[
        Path | None, Field(description="Folder with `postgres` and `initdb` for the embedded PostgreSQL.")
    ] = None
    redis_bin: Annotated[
        Path | None, Field(description="Folder with `redis-server` or `valkey-server` for the embedded Redis.")
    ] = None
    rules: Annotated[
        Path | None, Field(description="YAML document of verification rules; without it the shipped ones judge.")
    ] = None
    tick_ms: Annotated[
        int,
        Field(ge=0, le=1000, description="What comes for a field within so many ms leaves the gateway as one frame."),
    ] = 50
    log_days: Annotated[
        int,
        Field(ge=1, le=3650, description="For how many days the log is kept; who was away for longer loads anew."),
    ] = 7
    log_format: Annotated[Literal["text", "json"], Field(description="How log lines are written.")] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="The least that is logged.")
    ] = "info"

    @property
    def folder(self) -> Path:
        """The data folder, with `~` resolved."""
        return self.data.expanduser()

    def server_options(self) -> ServerOptions:
        """What `compose.embedded.servers` takes beside the data folder."""
        return {
            "database_url": self.driver_url,
            "redis_url": self.redis_url,
            "postgres_bin": self.postgres_bin,
            "redis_bin": self.redis_bin,
        }

    @property
    def driver_url(self) -> str | None:
        """The PostgreSQL URL with the driver named."""
        url = self.database_url
        return None if url is None else url.replace("postgresql://", "postgresql+psycopg://", 1)


def environment(**given: str) -> dict[str, str]:
    """This process's environment with some `WELLSTREAM_*` variables set anew (named in lower case), for a child."""
    return os.environ | {f"WELLSTREAM_{name.upper()}": value for name, value in given.items()}


def settings(**given: object) -> Settings:
    """The settings of this process; ``given`` (command-line options that are not None) go before the environment.

    Raises:
        SettingsFaulty: names every faulty variable, its value without a password, and the rule.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = [_told(str(one["loc"][0]), str(one["input"]), one["msg"]) for one in error.errors()]
        raise SettingsFaulty("; ".join(faults)) from None  # what pydantic says holds the password


def _told(name: str, value: str, rule: str) -> str:
    told = f"WELLSTREAM_{name.upper()}={value!r}: {rule.removeprefix('Value error, ')}"
    password = _PASSWORD.search(value)
    return told if password is None else told.replace(password[1], "***")
