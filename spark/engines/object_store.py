"""Hadoop options for object stores, from the environment variables that delta-rs reads."""

from __future__ import annotations

from collections.abc import Mapping

S3A = "spark.hadoop.fs.s3a"
FILE_SYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"
# Tried in order: keys in the environment, a token file (EKS), the role of a container or machine (ECS, EC2).
CREDENTIALS = ",".join(
    (
        "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
        "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
        "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider",
    )
)
# As in delta-rs, if an endpoint is set without a region.
DEFAULT_REGION = "us-east-1"
TRUE = ("1", "on", "true", "y", "yes")


def object_store_options(environment: Mapping[str, str]) -> dict[str, str]:
    """Return options that make `s3://` the same place for Apache Spark as for delta-rs.

    They need the JARs of `docker/jars/s3.txt`. They have no keys, because Spark shows its options in logs and
    in its UI; its processes read keys from their own environment.
    """
    options = {
        "spark.hadoop.fs.s3.impl": FILE_SYSTEM,
        f"{S3A}.aws.credentials.provider": CREDENTIALS,
    }
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if endpoint:
        scheme, _, address = endpoint.rpartition("://")
        # Without its scheme, so that only one option decides about encryption.
        options[f"{S3A}.endpoint"] = address.rstrip("/")
        is_plain = scheme == "http" and _is_true(environment, "AWS_ALLOW_HTTP")
        options[f"{S3A}.connection.ssl.enabled"] = "false" if is_plain else "true"
        by_host = _is_true(environment, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
        options[f"{S3A}.path.style.access"] = "false" if by_host else "true"
        region = region or DEFAULT_REGION
    if region:
        options[f"{S3A}.endpoint.region"] = region
    return options


def _is_true(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").strip().lower() in TRUE
