"""Where trials are kept: Optuna's journal file, or a database that several machines share.

A journal belongs to one command at a time, which holds a lock on it: whatever is left running there
belongs to nobody any more. On a database a trial is given up when its heartbeat has stopped. SQLite
is refused: writers lock each other out there, and the journal does all that it would.
"""

from __future__ import annotations

import errno
import json
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import MixgymError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import optuna

MOST_BYTES = 10**9
HEARTBEAT_S = 10
GRACE_S = 60  # without a heartbeat, until a trial is done again
ATTEMPTS = 5  # at a new database, whose tables another machine may be making at the same time
WAIT_S = 0.2  # before the next attempt, longer each time
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ENTRY = b'{"op_code":'  # how each line of a journal begins
SETTINGS = "settings"  # the study's attribute that says what it depends on


class Place(NamedTuple):
    """Where a study is kept.

    Attributes:
        name: of the study.
        journal: its file; unused where there is a database.
        url: of the database, if it is kept in one.
    """

    name: str
    journal: Path
    url: str | None = None

    def __str__(self) -> str:
        """As a person may read it: without a password."""
        if self.url is None:
            return str(self.journal)
        from sqlalchemy.engine import make_url

        return make_url(self.url).render_as_string(hide_password=True)


def place_of(name: str, journal: Path, url: str | None) -> Place:
    """Where a study is to be kept.

    Raises:
        MixgymError: Optuna is not installed, the journal's folder does not exist, or the URL is
            none of a database that several may share.
    """
    if find_spec("optuna") is None:
        raise MixgymError(
            "Tuning needs optuna: install mixgym's extra with pip install 'mixgym[search]'."
        )
    if url is None:
        if not journal.parent.is_dir():
            raise MixgymError(f"The folder {journal.parent} for {journal.name} does not exist.")
        return Place(name, journal)
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise MixgymError(
            "--storage is no URL of a database; write postgresql+psycopg://USER@HOST/NAME."
        ) from error
    if kind == "sqlite":
        raise MixgymError(
            "SQLite locks up when several work at once; leave --storage out for a journal file, or "
            "name a database such as PostgreSQL."
        )
    return Place(name, journal, url)


@contextmanager
def kept(place: Place) -> Iterator[None]:
    """Hold a study's place while it is worked on.

    Raises:
        MixgymError: the journal is damaged or in use, or as `in_words`.
    """
    try:
        with in_words(place), quiet(), nullcontext() if place.url else _sole_use(place.journal):
            yield
    finally:
        _storage.cache_clear()


@contextmanager
def in_words(place: Place) -> Iterator[None]:
    """Say in a sentence what goes wrong where a study is kept.

    Optuna may fail over a failure of its storage, so that the cause stands behind what it raises.

    Raises:
        MixgymError: the disk is full, or the database fails.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MixgymError:
        raise
    except Exception as error:
        for cause in _causes(error):
            if isinstance(cause, OSError) and cause.errno in NO_SPACE:
                raise MixgymError(
                    f"The disk of {place} is full; make room there, and the same command goes on."
                ) from error
            if isinstance(cause, (StorageInternalError, SQLAlchemyError)):
                said = str(cause.__cause__ or cause).strip().splitlines()[0]
                raise MixgymError(
                    f"The database {place} fails ({said}); once it works, the same command goes on."
                ) from error
        raise


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from telling on the terminal what is experimental and which trial failed."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(
    place: Place,
    sampler: optuna.samplers.BaseSampler | None = None,
    pruner: optuna.pruners.BasePruner | None = None,
) -> optuna.Study:
    """The study, made where there is none. Within `kept`, or in a process that was begun there.

    Raises:
        MixgymError: the journal is damaged, or the database's driver is not installed.
    """
    import optuna

    storage = _storage(place)
    try:
        return optuna.load_study(
            study_name=place.name, storage=storage, sampler=sampler, pruner=pruner
        )
    except KeyError:
        return optuna.create_study(
            study_name=place.name,
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            sampler=sampler,
            pruner=pruner,
        )


@lru_cache(maxsize=1)
def _storage(place: Place) -> optuna.storages.BaseStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if place.url is None:
        file = str(place.journal)
        try:
            return JournalStorage(JournalFileBackend(file, JournalFileOpenLock(file)))
        except (ArithmeticError, LookupError, TypeError, ValueError, AssertionError) as error:
            raise _damaged(place.journal) from error
    return _database(place, place.url)


def _database(place: Place, url: str) -> optuna.storages.RDBStorage:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import IntegrityError, NoSuchModuleError, ProgrammingError

    attempt = 1
    while True:
        try:
            return RDBStorage(
                url,
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
            )
        except (ImportError, NoSuchModuleError) as error:
            raise MixgymError(
                f"The database {place} needs a driver that is not installed; for PostgreSQL run "
                "pip install 'psycopg[binary]' and begin the URL with postgresql+psycopg."
            ) from error
        except (IntegrityError, ProgrammingError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt * WAIT_S)
            attempt += 1


def claim(study: optuna.Study, identity: Mapping[str, Any]) -> None:
    """See that a study is of these settings; a new one is of them from now on.

    Raises:
        MixgymError: it was begun with others.
    """
    if not study.trials and SETTINGS not in study.user_attrs:
        study.set_user_attr(SETTINGS, dict(identity))
    before = study.user_attrs.get(SETTINGS)
    if not isinstance(before, dict):
        raise MixgymError(
            f"The study {study.study_name} there is none of mixgym's; choose another place by "
            "--out or --storage."
        )
    for name in {**before, **identity}:
        now = identity.get(name)
        if before.get(name) != now:
            raise MixgymError(
                f"The study {study.study_name} was begun with {name} {_shown(before.get(name))}, "
                f"not {_shown(now)}; give the same, or another place by --out or --storage."
            )


def give_up_lost(study: optuna.Study, place: Place) -> None:
    """Mark trials failed that a dead process left running; only while nobody else holds a journal.

    Raises:
        OSError: the disk is full.
    """
    from optuna.storages import fail_stale_trials
    from optuna.trial import TrialState

    if place.url is not None:
        fail_stale_trials(study)
        return
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


@contextmanager
def _sole_use(journal: Path) -> Iterator[None]:
    """A lock on a journal that ends with this process; and what a killed one left is cleared."""
    with journal.open("ab") as file:
        if fcntl is not None:  # elsewhere nobody is kept from beginning the same study twice
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise MixgymError(
                    f"{journal} is at work in another process; end that, or let several work by "
                    "--jobs, or on one database by --storage."
                ) from error
        Path(f"{journal}.lock").unlink(missing_ok=True)
        _mend(journal)
        yield


def _mend(journal: Path) -> None:
    """Cut off a last line that was not written to its end.

    Raises:
        MixgymError: something else is wrong with the file.
    """
    if journal.stat().st_size > MOST_BYTES:
        raise MixgymError(f"{journal} is larger than a study can be; choose another by --out.")
    whole, torn = 0, b""
    with journal.open("rb+") as file:
        for line in file:
            if _is_entry(line):
                whole += len(line)
            elif line.endswith(b"\n") or line[: len(ENTRY)] != ENTRY[: len(line)]:
                raise _damaged(journal)
            else:
                torn = line  # the last one, since it has no end
        if torn:
            file.truncate(whole)


def _is_entry(line: bytes) -> bool:
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(entry, dict) and isinstance(entry.get("op_code"), int)


def _damaged(journal: Path) -> MixgymError:
    return MixgymError(
        f"{journal} is damaged or no study's journal; remove it, or begin another by --out."
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name} {one}" for name, one in value.items()]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
