"""`mixgym serve`: its options, and what a person sees of it."""

from __future__ import annotations

from typing import Annotated

import typer

LIMITS = "Limits"


def serve(
    host: Annotated[
        str, typer.Option(help="Name or address to listen at; 0.0.0.0 is every address.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 is any that is free.")] = 8765,
    max_songs: Annotated[
        int, typer.Option(min=1, max=1000, help="Songs at once.", rich_help_panel=LIMITS)
    ] = 16,
    max_stems: Annotated[
        int, typer.Option(min=1, max=256, help="Files of a song.", rich_help_panel=LIMITS)
    ] = 64,
    max_megabytes: Annotated[
        int,
        typer.Option(
            min=1, max=1_000_000, help="Of a song's files together.", rich_help_panel=LIMITS
        ),
    ] = 2000,
    max_minutes: Annotated[
        float, typer.Option(min=0.1, max=600, help="Length of a song.", rich_help_panel=LIMITS)
    ] = 15.0,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Songs worked on at once.", rich_help_panel=LIMITS)
    ] = 2,
) -> None:
    """Mix on a page in the browser: drop stems, listen, turn knobs, take the files."""
    from .runtime.service.limits import Limits
    from .runtime.service.server import is_private
    from .runtime.service.server import serve as serve_page

    limits = Limits(
        files=max_stems,
        file_bytes=max_megabytes * 1_000_000,
        job_bytes=max_megabytes * 1_000_000,
        song_s=max_minutes * 60,
        jobs=max_songs,
        workers=workers,
    )

    def invite(url: str) -> None:
        if not is_private(host):
            warning = (
                f"{host} can be reached from other machines: whoever reaches it may mix here, "
                "unencrypted and without a password."
            )
            typer.secho(warning, err=True, fg=typer.colors.YELLOW)
        typer.echo(f"mixgym is at {url} (Ctrl-C ends it)")

    serve_page(host, port, limits, invite)
