"""MariaDB and a client that knows its password from a variable only: both follow a rotation."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

import pytest
from conftest import wait_until
from volume import Exec

os.environ["PATH"] += ":/usr/sbin"
SECRET = "MYSQL-DB-PASSWORDD"
OPTIONS = ("--debounce=100ms", "--min-uptime=100ms", "--grace=2s")

# Gives the server the password, each time it is started; it needs no password itself, as root on the socket.
SETTER = """printf "CREATE USER IF NOT EXISTS app@localhost; ALTER USER app@localhost IDENTIFIED BY '%s';" "$DB_PASSWORD" |
mariadb --no-defaults -u root -S "$SOCKET" && echo set >>"$JOURNAL"; exec sleep 1000"""

# Four loops of requests; each tells whether the server let it in, its app, and when it began and ended.
APP = """echo "up $$ $(date +%s.%N)" >>"$JOURNAL"; export MYSQL_PWD="$DB_PASSWORD"; n=0
for i in 1 2 3 4; do while :; do
  t=$(date +%s.%N); r=$(mariadb --no-defaults -u app -S "$SOCKET" -N -e 'SELECT "ok"' 2>&1)
  case $r in ok) ;; *"Access denied"*) r=refused ;; *) r=other ;; esac
  echo "$r $$ $t $(date +%s.%N)" >>"$JOURNAL"
done & done; wait"""


@pytest.fixture
def server():
    if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
        pytest.skip("mariadb-server-core is not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="akvsync-mariadb-", dir="/tmp"))
    own = ["--no-defaults", f"--datadir={folder}/data", f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
    subprocess.run(["mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db"],
                   check=True, capture_output=True)  # fmt: skip
    small = ["--skip-networking", "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--performance-schema=off"]
    with subprocess.Popen(["mariadbd", *own, f"--socket={folder}/s", f"--pid-file={folder}/p", *small],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:  # fmt: skip
        assert wait_until((folder / "s").exists)
        try:
            yield folder / "s"
        finally:
            running.kill()
    shutil.rmtree(folder)


def rows(journal, word=""):
    lines = [line.split() for line in journal.read_text().splitlines()]
    return [line for line in lines if line[0].startswith(word)]


def test_server_and_client_follow_a_rotation(world, server, tmp_path, record_property):
    world.plant(SECRET)
    sidecar = world.sidecar(SECRET)
    volume = type("Volume", (), {"path": world.volume})
    setter_journal, journal = tmp_path / "setter", tmp_path / "app"
    setter_journal.touch()
    journal.touch()
    env = {"DB_PASSWORD": f"akvsync:{SECRET}", "SOCKET": str(server)}
    running = []
    try:
        running.append(Exec(volume, "sh", "-c", SETTER, options=OPTIONS, env=env | {"JOURNAL": str(setter_journal)}))
        assert wait_until(lambda: len(rows(setter_journal)) == 1), running[0].text
        running.append(Exec(volume, "sh", "-c", APP, options=OPTIONS, env=env | {"JOURNAL": str(journal)}))
        for number in range(2, 5):
            assert wait_until(lambda: len(rows(journal, "ok")) >= 20)
            world.plant(SECRET)
            sidecar.poll()
            assert wait_until(lambda n=number: len(rows(setter_journal)) == n and len(rows(journal, "up")) == n)
            pid = rows(journal, "up")[-1][1]
            assert wait_until(lambda p=pid: len([row for row in rows(journal, "ok") if row[1] == p]) >= 20)
            time.sleep(0.2)
    finally:
        for process in running:
            process.popen.terminate()
            process.wait()
            world.processes.append(process)
    ups = [(row[1], float(row[2])) for row in rows(journal, "up")]
    requests = [(row[0], row[1], float(row[2]), float(row[3])) for row in rows(journal) if len(row) == 4]
    for (pid, up), (old, _) in zip(ups[1:], ups):
        assert not [row for row in requests if row[1] == old and row[2] > up], "the old app is gone"
        served = [row for row in requests if row[:2] == ("ok", pid)]
        first = min(end for *_, end in served)
        assert not [row for row in requests if row[:2] == ("refused", pid) and row[2] > first], "the new app knows the new one"
        gap = first - max(end for result, of, _, end in requests if (result, of) == ("ok", old))
        record_property("seconds without service", round(gap, 3))
        print(f"{gap:.3f} s without service, {len(served)} requests of the new app")
        assert gap < 10
    assert len([row for row in requests if row[0] == "ok"]) >= 80
