import pytest

from spark.engines.object_store import CREDENTIALS, FILE_SYSTEM, object_store_options

ALWAYS = {"spark.hadoop.fs.s3.impl": FILE_SYSTEM, "spark.hadoop.fs.s3a.aws.credentials.provider": CREDENTIALS}
KEYS = {"AWS_ACCESS_KEY_ID": "the-id", "AWS_SECRET_ACCESS_KEY": "the-key", "AWS_SESSION_TOKEN": "the-token"}


def test_without_settings_only_the_scheme_and_the_credentials_are_told():
    assert object_store_options({}) == ALWAYS


def test_another_store_than_amazons_is_reached_by_its_address_and_by_paths():
    environment = {"AWS_ENDPOINT_URL": "https://minio.test:9000/", "AWS_REGION": "eu-north-1"}

    assert object_store_options(environment) == ALWAYS | {
        "spark.hadoop.fs.s3a.endpoint": "minio.test:9000",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "true",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.endpoint.region": "eu-north-1",
    }


@pytest.mark.parametrize(
    ("allowed", "encrypted"), [("true", "false"), ("1", "false"), ("false", "true"), ("", "true")]
)
def test_nothing_is_sent_unencrypted_unless_that_is_allowed(allowed, encrypted):
    options = object_store_options({"AWS_ENDPOINT_URL": "http://minio.test:9000", "AWS_ALLOW_HTTP": allowed})

    assert options["spark.hadoop.fs.s3a.endpoint"] == "minio.test:9000"
    assert options["spark.hadoop.fs.s3a.connection.ssl.enabled"] == encrypted


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        pytest.param({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "a", id="the-first-wins"),
        pytest.param({"AWS_DEFAULT_REGION": "b"}, "b", id="by-its-other-name"),
        pytest.param({"AWS_ENDPOINT_URL": "https://minio.test"}, "us-east-1", id="as-delta-rs-has-it"),
    ],
)
def test_the_region_is_the_one_that_delta_rs_takes(environment, region):
    assert object_store_options(environment)["spark.hadoop.fs.s3a.endpoint.region"] == region


def test_a_store_can_be_asked_for_buckets_by_their_host():
    environment = {"AWS_ENDPOINT_URL": "https://s3.test", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true"}

    assert object_store_options(environment)["spark.hadoop.fs.s3a.path.style.access"] == "false"


def test_keys_are_not_written_into_options():
    options = object_store_options(KEYS | {"AWS_ENDPOINT_URL": "https://minio.test"})

    assert not set(KEYS.values()) & set(" ".join(options.values()).split())
    assert options == object_store_options({"AWS_ENDPOINT_URL": "https://minio.test"})
