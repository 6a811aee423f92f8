"""Puts the parts of one service process together: any of ingest, gateway and dashboard as one ASGI program."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine

from compose.roles import Role
from compose.worker import Worker
from dashboard.api.door import Door
from dashboard.api.routes import routes as query_routes
from dashboard.api.routes import unknown_paths
from dashboard.app import mount
from ingest.desk import desk_routes
from ingest.pipeline import Pipeline
from ingest.rules.rule import RuleSet
from ingest.service import routes
from storage import migrations
from storage.database import engine_for
from storage.domain.errors import StorageDown
from stream.cache import Cache
from stream.doorbell import Doorbell
from stream.gateway import Gateway
from stream.websocket import websocket_class

SHUTDOWN_S: Final = 5
SWITCH_S: Final = 0.0005
"""How long a thread that computes may keep the loop waiting; Python's own 5 ms add up to what people notice."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a service finds PostgreSQL and Redis, where it listens, the gateway's tick and the days of log kept."""

    database_url: str
    redis_url: str
    host: str
    port: int
    tick_ms: int = 50
    log_days: int = 7


def serve(roles: Sequence[Role], addresses: Addresses, rules: RuleSet | None = None) -> None:
    """Run the roles in this process until SIGTERM or SIGINT; they share one port."""
    sys.setswitchinterval(SWITCH_S)
    engine = engine_for(addresses.database_url)
    own = engine_for(addresses.database_url)  # pages that ask much must not keep the gateway waiting for a connection
    gateway = Gateway(own, addresses.redis_url, addresses.tick_ms / 1000) if Role.GATEWAY in roles else None
    worker = Worker(own, addresses.log_days, _end_process) if Role.WORKER in roles else None
    app = application(roles, engine, addresses.redis_url, gateway, worker, rules)
    config = uvicorn.Config(
        app,
        host=addresses.host,
        port=addresses.port,
        ws=websocket_class(gateway) if gateway else "none",
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
    )
    gc.freeze()  # what is there now stays: looking through it for garbage took 100 ms, several times a second
    uvicorn.Server(config).run()


def application(
    roles: Sequence[Role],
    engine: Engine,
    redis_url: str,
    gateway: Gateway | None = None,
    worker: Worker | None = None,
    rules: RuleSet | None = None,
) -> FastAPI:
    """The ASGI program of some roles. Pages come last: they answer every path that nothing else does. ``rules`` judge
    what comes in, by default those that Wellstream brings."""
    door = Door(engine, Cache(redis_url)) if Role.DASHBOARD in roles else None
    app = _Program(
        title="Wellstream",
        version=version("wellstream"),
        docs_url="/api/docs",
        openapi_url="/api/openapi.json",
        redoc_url=None,
        lifespan=_lifespan(gateway, worker, door),
    )
    _observe(app, engine, [part.faults for part in (gateway, worker) if part])
    if Role.INGEST in roles:
        pipeline = Pipeline(engine, Doorbell(redis_url), _utc_now, rules)
        app.include_router(routes(pipeline))
        app.include_router(desk_routes(pipeline))
    if door is not None:
        app.include_router(query_routes(door))
        app.include_router(unknown_paths())
        mount(app, engine)
    return app


class _Program(FastAPI):
    """Documents what is answered: a fault in a parameter is a problem with status 400 here, never FastAPI's 422."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        for methods in document["paths"].values():
            for route in methods.values():
                answers: dict[str, Any] = route.get("responses", {})
                if "HTTPValidationError" in str(answers.get("422")):
                    del answers["422"]
        return document


def _observe(app: FastAPI, engine: Engine, faults_of: Sequence[Callable[[], list[str]]]) -> None:
    @app.get("/healthz", tags=["service"])
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok", "version": version("wellstream")}

    @app.get("/readyz", tags=["service"])
    async def readyz() -> JSONResponse:
        """Whether the service can do its work now, and if not, why."""
        faults = await run_in_threadpool(_storage_faults, engine)
        faults += [fault for ask in faults_of for fault in ask()]
        return JSONResponse({"ready": not faults, "faults": faults}, status_code=503 if faults else 200)

    @app.get("/metrics", tags=["service"], response_class=Response)
    async def metrics() -> Response:
        """Counters and gauges for Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _storage_faults(engine: Engine) -> list[str]:
    try:
        migrations.require_current(engine)
    except StorageDown as error:
        return [str(error)]
    return []


def _lifespan(
    gateway: Gateway | None, worker: Worker | None, door: Door | None
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if door is not None:
                stack.push_async_callback(door.close)
            if worker is not None:
                worker.start()
                stack.callback(worker.stop, SHUTDOWN_S)
            if gateway is not None:
                await stack.enter_async_context(_following(gateway))
            yield

    return lifespan


@contextlib.asynccontextmanager
async def _following(gateway: Gateway) -> AsyncIterator[None]:
    following = asyncio.create_task(gateway.run())
    following.add_done_callback(_end_process_on_failure)
    yield
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


def _end_process_on_failure(task: asyncio.Task[None]) -> None:
    """A gateway that no longer follows must not go on serving: the supervisor starts a new one."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("gateway failed", exc_info=error)
        _end_process()


def _end_process() -> None:
    """Stop as on SIGTERM; the supervisor starts a new process."""
    os.kill(os.getpid(), signal.SIGTERM)


def _utc_now() -> datetime:
    return datetime.now(UTC)
