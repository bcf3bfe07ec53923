"""LocalStack 4.14 with what its image was built with, where the originals would be downloaded at the first call.

Three things: the program that stands beside each function (ours: init.py), DynamoDB Local (npm's copy of AWS's jar, on
Debian's Java), and the Lambda image, which is not pulled when it is here.
"""

import os
import shutil
from pathlib import Path

from localstack.packages import InstallTarget
from localstack.runtime import hooks
from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.lambda_.invocation import docker_runtime_executor
from localstack.services.lambda_.packages import lambda_runtime_package

DYNAMODB = Path("/opt/dynamodb")
INIT = Path("/opt/plugin/init.py")


@hooks.on_infra_start()
def use_what_is_here() -> None:
    _function_init()
    _dynamodb()
    _lambda_images()


def _function_init() -> None:
    """Ours is where the installer looks for one that is installed."""
    installer = lambda_runtime_package.get_installer()
    place = Path(installer._get_install_marker_path(installer._get_install_dir(InstallTarget.VAR_LIBS)))
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(INIT, place)
    place.chmod(0o755)


def _dynamodb() -> None:
    """The jar from the image, with the `java` of the path, and without the agent that lifts a limit on indexes."""
    DynamoDBLocalPackageInstaller.install = lambda self, *_, **__: None
    DynamoDBLocalPackageInstaller.get_installed_dir = lambda self: str(DYNAMODB)
    DynamoDBLocalPackageInstaller.get_java_env_vars = lambda self: {"PATH": os.environ["PATH"]}
    command = DynamodbServer._create_shell_command
    DynamodbServer._create_shell_command = lambda self: [
        word for word in command(self) if not word.startswith("-javaagent")
    ]


def _lambda_images() -> None:
    pull = docker_runtime_executor._ensure_runtime_image_present

    def ensure(image: str, platform: str) -> None:
        if image not in docker_runtime_executor.CONTAINER_CLIENT.get_docker_image_names():
            pull(image, platform)

    docker_runtime_executor._ensure_runtime_image_present = ensure
