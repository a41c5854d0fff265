"""A real S3 server on loopback for the tests: SeaweedFS, in a folder of its own, on ports of its own."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from demo.ports import choose

_SERVERS = ("master", "volume", "filer", "s3")
# How the names of buckets begin that need no keys.
OPEN = "open-"
# As the file server tells what a folder is.
_DIRECTORY = 1 << 31


@dataclass(frozen=True)
class Keys:
    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class Bucket:
    """A bucket, looked at past S3: by the file server that SeaweedFS keeps it in, which needs no keys."""

    name: str
    files: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises FileNotFoundError when there is none."""
        try:
            return _answer(f"{self.files}/{quote(key)}")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise FileNotFoundError(key) from error
            raise

    def write(self, key: str, data: bytes) -> None:
        form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + data
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        request = urllib.request.Request(f"{self.files}/{quote(key)}", form + b"\r\n--x--\r\n", headers)
        _answer(request)

    def delete(self, key: str) -> None:
        request = urllib.request.Request(f"{self.files}/{quote(key)}", method="DELETE")
        _answer(request)

    def keys(self, folder: str = "") -> list[str]:
        """All objects' keys below a folder, sorted; folders without objects are none."""
        address = f"{self.files}/{quote(folder)}{'/' if folder else ''}?limit=100000"
        request = urllib.request.Request(address, headers={"Accept": "application/json"})
        entries = json.loads(_answer(request))["Entries"] or []
        found = []
        for entry in entries:
            name = entry["FullPath"].partition(f"/buckets/{self.name}/")[2]
            # Uploads in parts that have not ended are kept there.
            if name == ".uploads":
                continue
            found += self.keys(name) if entry["Mode"] & _DIRECTORY else [name]
        return sorted(found)


class S3Server:
    """A server with one identity that may do anything and one that may only read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = Keys("AKTESTS", secrets.token_hex(16))
        self.reader = Keys("AKREADER", secrets.token_hex(16))
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self._ports["s3.port"]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, keys: Keys | None = None, *, endpoint: str | None = None) -> dict[str, str]:
        """The variables by which a client finds the server and is let in."""
        keys = keys or self.keys
        return {
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        identities = [
            _identity("tests", self.keys, ["Admin", "Read", "Write", "List", "Tagging"]),
            _identity("reader", self.reader, ["Read", "List"]),
            # Who brings no keys, or another cloud's, is let into these buckets only.
            {"name": "anonymous", "actions": [f"{right}:{OPEN}*" for right in ("Read", "Write", "List")]},
        ]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))
        # A port that was free may be somebody's a moment later.
        for _ in range(3):
            self._ports = {f"{name}.port{kind}": choose() for name in _SERVERS for kind in ("", ".grpc")}
            self._spawn()
            if self._is_up():
                return
            self.stop()
        raise RuntimeError(f"the S3 server did not start:\n{(self.folder / 'log').read_text()[-3000:]}")

    def _spawn(self) -> None:
        options = {
            "dir": self.folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "filer": "true",
            "s3": "true",
            "s3.config": self.folder / "s3.json",
            "s3.autoCreateBucket": "false",
            "s3.iam": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            # Each bucket takes volumes of its own: one for each test, on a nearly full disk too.
            "volume.max": 10_000,
            "volume.minFreeSpace": "100MiB",
            "volume.preStopSeconds": 0,
            "master.volumeSizeLimitMB": 64,
            "master.telemetry": "false",
            **self._ports,
        }
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [_weed(), "server", *(f"-{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=log,
                env=os.environ | {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def make_bucket(self, name: str) -> None:
        """Create a bucket, by the server's own shell."""
        master, filer = (
            f"127.0.0.1:{self._ports[f'{server}.port']}.{self._ports[f'{server}.port.grpc']}"
            for server in ("master", "filer")
        )
        subprocess.run(
            [_weed(), "shell", f"-master={master}", f"-filer={filer}"],
            input=f"s3.bucket.create -name {name}\n",
            text=True,
            capture_output=True,
            check=True,
            timeout=60,
        )

    def new_bucket(self, beginning: str = "test-") -> Bucket:
        name = f"{beginning}{secrets.token_hex(6)}"
        self.make_bucket(name)
        return Bucket(name, f"http://127.0.0.1:{self._ports['filer.port']}/buckets/{name}")

    def _is_up(self) -> bool:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                return False
            try:
                urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=5).close()
                return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                time.sleep(0.1)
        return False


def _answer(request: str | urllib.request.Request, tries: int = 3) -> bytes:
    """What the file server answers, asked again when a connection breaks: it is no part of what is tested."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError:
        raise
    except OSError:
        if tries == 1:
            raise
        time.sleep(0.2)
        return _answer(request, tries - 1)


def _weed() -> str:
    return str(Path(sys.executable).with_name("weed"))


def _identity(name: str, keys: Keys, actions: list[str]) -> dict[str, object]:
    credentials = [{"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}]
    return {"name": name, "credentials": credentials, "actions": actions}
