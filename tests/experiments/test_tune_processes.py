"""Studies in processes of their own: one that is killed, several at once, and on PostgreSQL."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

optuna = pytest.importorskip("optuna", reason="needs the extra `search`")

from mixgym.experiments.tuning import study  # noqa: E402


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_and_run_again_a_study_is_the_same(mixgym, study_file, undisturbed, tmp_path):
    journal = tmp_path / "tune-small.journal"
    command = ["tune", str(study_file()), "--trials", "5", "--json"]
    program = [sys.executable, "-m", "mixgym"]
    process = subprocess.Popen([*program, *command], stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 120
    half_way = len(undisturbed[1].read_bytes().splitlines()) // 2
    while not journal.exists() or journal.read_bytes().count(b"\n") < half_way:
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    at_kill = journal.read_bytes()
    assert at_kill.count(b"\n") < len(undisturbed[1].read_bytes().splitlines())
    ran = mixgym(*command)
    assert ran.status == 0, ran.err
    assert json.loads(ran.out) == undisturbed[0]
    assert journal.read_bytes().startswith(at_kill[: at_kill.rindex(b"\n") + 1])


def test_processes_share_the_trials(mixgym, study_file):
    ran = mixgym("tune", study_file(), "--trials", 4, "--jobs", 2, "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert [trial["trial"] for trial in result["trials"]] == list(range(4))
    assert len({json.dumps(trial["params"]) for trial in result["trials"]}) == 4


def test_a_journal_belongs_to_one_command(refused, study_file, tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="needs locks on files")
    path = study_file()
    with (tmp_path / "tune-small.journal").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused("tune", path, "--trials", 1, words=["in another process", "--jobs"])


@contextmanager
def postgresql():
    """A server of its own, without a password, on a socket in a temporary folder."""
    pytest.importorskip("psycopg", reason="needs PostgreSQL's driver psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("needs PostgreSQL's programs initdb and pg_ctl")
    programs = Path(initdb).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    given = {**owner, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    try:
        command = [programs / "initdb", "-D", data, "-U", "tuner", "-A", "trust", "--no-sync"]
        subprocess.run(command, **given)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = [programs / "pg_ctl", "-D", data, "-w"]
        subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **given)
        try:
            yield f"postgresql+psycopg://tuner@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(os.name != "posix", reason="needs sockets in folders")
def test_two_commands_share_a_study_on_postgresql(study_file, undisturbed, mixgym):
    path = study_file()
    with postgresql() as url:
        command = [sys.executable, "-m", "mixgym", "tune", str(path), "--trials", "4"]
        command += ["--storage", url, "--json"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        results = [json.loads(process.communicate(timeout=60)[0]) for process in both]
        assert results[0] == results[1]
        trials = results[0]["trials"]
        assert [trial["trial"] for trial in trials] == list(range(4))
        assert trials[0] == undisturbed[0]["trials"][0]

        forsaken = forsake_a_trial(url, ordinal=4)
        ran = mixgym("tune", path, "--trials", 5, "--storage", url, "--json")
        assert ran.status == 0, ran.err
        assert json.loads(ran.out)["trials"][:4] == trials
        assert json.loads(ran.out)["trials"][4]["trial"] == 4
        kept = optuna.load_study(study_name="small", storage=url)
        assert kept.trials[forsaken].state == optuna.trial.TrialState.FAIL

        study_file(evaluations=70)
        ran = mixgym("tune", path, "--trials", 6, "--storage", url)
        assert ran.status == 2 and "begun with evaluations 60, not 70" in ran.err


def forsake_a_trial(url, ordinal):
    """Leave a trial running whose heartbeat stopped an hour ago; its number."""
    from sqlalchemy import create_engine, text

    kept = optuna.load_study(study_name="small", storage=url)
    kept.enqueue_trial({}, user_attrs={study.ORDINAL: ordinal})
    trial = kept.ask()
    row = (
        "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (:trial, now() - interval '1h')"
    )
    with create_engine(url).begin() as connection:
        connection.execute(text(row), {"trial": trial._trial_id})
    return trial.number
