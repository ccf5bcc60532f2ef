"""mixgym: a mixing console and mastering chain that programs can play."""

import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .envs.registration import register_environments

if TYPE_CHECKING:
    from .runtime.automixer import AutoMixer, Mixed, mix

__version__ = "0.1.0"
__all__ = ["AutoMixer", "Mixed", "mix"]


def __getattr__(name: str) -> Any:
    """What mixes is imported when it is asked for."""
    if name in __all__:
        return getattr(import_module(".runtime.automixer", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _keep_compiled_code() -> None:
    """Give Numba a folder for compiled kernels where it would find none that it may write.

    Beside the sources if they can be written, else in the user's cache, else (a read-only
    container) a folder of this process's own. Never one that others can write: what lies there
    is run.
    """
    if "NUMBA_CACHE_DIR" in os.environ or os.access(Path(__file__).parent, os.W_OK):
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mixgym" / "numba"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        cache = Path(tempfile.mkdtemp(prefix="mixgym-numba-"))
    os.environ["NUMBA_CACHE_DIR"] = str(cache)


_keep_compiled_code()
register_environments()
