"""The service's addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ...console.preset import Name, Settings, Text, dumps, preset_of
from ...console.styles import STYLES
from ...errors import MixgymError
from ...songs.formats import AUDIO_SUFFIXES
from ...songs.roles import ROLES
from ..mixers import MIXERS
from ..parameter_list import describe_tables
from . import work
from .guard import Guard
from .job import Job
from .jobs import OURS, Jobs
from .limits import RefusalError
from .page import page

POLL_S = 0.1
SIGN_OF_LIFE = 100  # polls without news


def _known(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"there is no role {role[:100]!r}")
    return role


Role = Annotated[str, AfterValidator(_known)]


class MixRequest(BaseModel):
    """Who makes the settings, and how."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mixer: Name = MIXERS[0]
    style: Name = "balanced"
    amount: Annotated[float, Field(ge=0, le=1)] = 1.0
    roles: Annotated[dict[Text, Role], Field(max_length=256)] = Field(default_factory=dict)


class Edit(BaseModel):
    """Knobs that were turned: the parts of a preset that change."""

    model_config = ConfigDict(extra="forbid", strict=True)

    strips: Annotated[dict[Text, Settings], Field(max_length=256)] = Field(default_factory=dict)
    buses: Settings = Field(default_factory=dict)
    master: Settings = Field(default_factory=dict)


class RenderRequest(BaseModel):
    """What to render the whole song for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: work.Kind = "wav"


def make_app(jobs: Jobs, host: str) -> FastAPI:
    """The application over some jobs, for requests to this host."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        patrol = asyncio.create_task(jobs.patrol())
        yield
        patrol.cancel()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    html, policy = page()
    app.add_middleware(Guard, host=host, policy=policy)
    _add_errors(app)
    _add_songs(app, jobs)
    _add_sounds(app, jobs)

    @app.get("/")
    async def front() -> HTMLResponse:
        return HTMLResponse(html)

    @app.get("/api/parameters")
    async def parameters() -> dict[str, Any]:
        limits = jobs.limits
        return {
            "tables": describe_tables(),
            "roles": ROLES,
            "mixers": MIXERS,
            "styles": {name: style.about for name, style in STYLES.items()},
            "kinds": sorted(AUDIO_SUFFIXES),
            "limits": {
                "files": limits.files,
                "file_bytes": limits.file_bytes,
                "job_bytes": limits.job_bytes,
                "song_s": limits.song_s,
            },
        }

    return app


def _add_errors(app: FastAPI) -> None:
    """Every refusal is JSON with one sentence under "error"."""

    @app.exception_handler(MixgymError)
    async def refused(request: Request, error: MixgymError) -> JSONResponse:
        status = error.status if isinstance(error, RefusalError) else 400
        return JSONResponse({"error": str(error)}, status)

    @app.exception_handler(RequestValidationError)
    async def misunderstood(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part)[:100] for part in first["loc"])
        return JSONResponse({"error": f"{where}: {first['msg']}."}, 422)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": f"{str(error.detail).rstrip('.')}."}, error.status_code)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": OURS}, 500)


def _add_songs(app: FastAPI, jobs: Jobs) -> None:
    """A song's life, from its first stem to its settings."""

    @app.post("/api/jobs", status_code=201)
    async def begin() -> dict[str, str]:
        return {"id": jobs.new().id}

    @app.delete("/api/jobs/{identity}", status_code=204)
    async def remove(identity: str) -> Response:
        jobs.remove(identity)
        return Response(status_code=204)

    @app.post("/api/jobs/{identity}/stems", status_code=201)
    async def receive(
        identity: str, name: Annotated[str, Query(max_length=1000)], request: Request
    ) -> dict[str, Any]:
        job = jobs.get(identity)
        if job.opened is not None:
            raise RefusalError(409, "The stems of this song have been read: begin another.")
        length = int(request.headers.get("content-length", "0"))
        with job.in_use():
            upload = await job.uploads.receive(name, _chunks(job, request), length)
        return {"name": upload.name, "stems": len(job.uploads)}

    @app.post("/api/jobs/{identity}/read", status_code=202)
    async def read(identity: str) -> dict[str, Any]:
        job = jobs.get(identity)
        if job.opened is not None:
            raise RefusalError(409, "The stems of this song have been read: begin another.")
        jobs.start(job, "Reading", lambda: work.read(job, jobs.limits))
        return job.state()

    @app.post("/api/jobs/{identity}/mix", status_code=202)
    async def mix(identity: str, wanted: MixRequest) -> dict[str, Any]:
        job = jobs.get(identity)
        jobs.start(
            job,
            "Mixing",
            lambda: work.mix(job, wanted.mixer, wanted.style, wanted.amount, wanted.roles),
        )
        return job.state()

    @app.get("/api/jobs/{identity}")
    async def song(identity: str) -> dict[str, Any]:
        job = jobs.get(identity)
        opened, settings, state = job.opened, job.mix, job.state()
        return {
            **state,
            "stems": list(opened.stems) if opened else [],
            "preset": preset_of(settings).model_dump(mode="json") if settings else None,
        }

    @app.patch("/api/jobs/{identity}/settings")
    async def edit(identity: str, wanted: Edit) -> dict[str, int]:
        job = jobs.get(identity)
        revision = job.edit(wanted.strips, wanted.buses, wanted.master)
        jobs.refresh(job)
        return {"revision": revision}

    @app.get("/api/jobs/{identity}/events")
    async def events(identity: str) -> StreamingResponse:
        return StreamingResponse(_states(jobs, jobs.get(identity)), media_type="text/event-stream")


def _add_sounds(app: FastAPI, jobs: Jobs) -> None:
    """What is heard and what is taken away."""

    @app.get("/api/jobs/{identity}/preview/{revision}/{side}.wav")
    async def sound(identity: str, revision: int, side: Literal["before", "after"]) -> Response:
        preview = jobs.get(identity).preview
        if preview is None or preview.revision != revision:
            raise RefusalError(404, "That preview is gone: there is a newer one.")
        return Response(preview.sounds[side], media_type="audio/wav")

    @app.post("/api/jobs/{identity}/render", status_code=202)
    async def render(identity: str, wanted: RenderRequest) -> dict[str, Any]:
        job = jobs.get(identity)
        job.settings()
        threads = jobs.limits.workers
        jobs.start(job, "Rendering", lambda: work.render(job, wanted.kind, threads))
        return job.state()

    @app.get("/api/jobs/{identity}/preset.json")
    async def preset(identity: str) -> Response:
        _, settings, _ = jobs.get(identity).settings()
        return Response(
            dumps(settings), media_type="application/json", headers=_attached("preset.json")
        )

    @app.get("/api/jobs/{identity}/files/{name}")
    async def file(identity: str, name: Literal["mix.wav", "project.zip"]) -> FileResponse:
        job = jobs.get(identity)
        if name not in job.files:
            raise RefusalError(404, f"There is no {name} yet: render it first.")
        return FileResponse(job.folder / name, headers=_attached(name))


async def _chunks(job: Job, request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            job.touch()
            if job.closed:
                raise RefusalError(404, "This song is gone: begin again.")
            yield chunk
    except ClientDisconnect as error:
        raise RefusalError(400, "The page went away: send it again.") from error


async def _states(jobs: Jobs, job: Job) -> AsyncIterator[str]:
    """A job's state whenever it has changed, as server-sent events."""
    last: dict[str, Any] | None = None
    silent = 0
    with job.watched():
        while not (jobs.closing or job.closed):
            state = job.state()
            silent += 1
            if state != last:
                yield f"data: {json.dumps(state)}\n\n"
                last, silent = state, 0
            elif silent >= SIGN_OF_LIFE:
                yield ": still here\n\n"
                silent = 0
            await asyncio.sleep(POLL_S)
    yield "event: gone\ndata: {}\n\n"


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
