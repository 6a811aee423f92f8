"""Asks the query API without a socket, on one loop that lives as long as the test."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from dashboard.api.door import LIMIT_S, Door
from dashboard.api.routes import routes, unknown_paths
from stream.cache import Cache


class ApiClient:
    """A door of its own, with or without Redis behind it."""

    def __init__(self, engine: Engine, redis_url: str | None = None, limit_s: float = LIMIT_S) -> None:
        self._runner = asyncio.Runner()
        self.door = Door(engine, None if redis_url is None else Cache(redis_url), limit_s)
        app = FastAPI(title="Wellstream")
        app.include_router(routes(self.door))
        app.include_router(unknown_paths())
        self.app = app
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")

    def get(self, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
        """GET a path under /api/v1."""
        return self._runner.run(self._get(path, headers, parameters))

    def all(self, *paths: str) -> list[httpx.Response]:
        """GET paths at the same time."""

        async def together() -> list[httpx.Response]:
            return await asyncio.gather(*(self._get(path, None, {}) for path in paths))

        return self._runner.run(together())

    def json(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The content of an answer, which must be one."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The table of an answer, row by row."""
        columns = self.json(path, **parameters)["columns"]
        values = {name: column["values"] for name, column in columns.items()}
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]

    def close(self) -> None:
        """Give everything back."""
        self._runner.run(self._client.aclose())
        self._runner.run(self.door.close())
        self._runner.close()

    async def _get(self, path: str, headers: dict[str, str] | None, parameters: dict[str, Any]) -> httpx.Response:
        return await self._client.get(f"/api/v1{path}", headers=headers, params=parameters or None)
