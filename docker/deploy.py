"""Deploys what `prefect.yaml` describes with images that are there already, such as compose has built.

`python docker/deploy.py`, in the project's folder, with the Prefect API configured.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

BUILD = "prefect_docker.deployments.steps.build_docker_image"


def without_builds(project: dict[str, Any]) -> dict[str, Any]:
    """The same deployments, with the images' names in place of the steps that build them."""
    for deployment in project["deployments"]:
        [options] = [step[BUILD] for step in deployment["build"] if BUILD in step]
        deployment["build"] = [step for step in deployment["build"] if BUILD not in step]
        pool = deployment["work_pool"]
        image = f"{options['image_name']}:{options['tag']}"
        deployment["work_pool"] = pool | {"job_variables": pool["job_variables"] | {"image": image}}
    return {name: value for name, value in project.items() if name != "definitions"}


def main() -> None:
    project = without_builds(yaml.safe_load(Path("prefect.yaml").read_text()))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(project, file)
        file.flush()
        command = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", file.name]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
