"""Run the same kinds of work as the pipeline, to build an archive of the classes that Spark loads.

`train_class_data.py ARCHIVE`. The JVM writes the archive when it stops. Later JVMs map it instead of reading
and verifying 15,000 classes. The rows are made up and the project's own code is not used, because a change of
that code must not rebuild the image's slowest layer. One JVM serves both uses of Spark: in the process of a
flow, and through Spark Connect.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

PORT = 15999
OPTIONS = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.port": str(PORT),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
PAYLOADS = "array<struct<id:string,title:string,budget:string,day:string,cast:array<struct<name:string>>>>"
MOVIES = [
    f'{{"id": {i}, "title": "T{i}", "budget": {i}e6, "day": "20{i:02}-01-02", '
    f'"cast": [{{"name": "A"}}, {{"name": "B{i}"}}]}}'
    for i in range(20)
]


def work(session: SparkSession, folder: str) -> None:
    """Parse, validate, write, merge, aggregate, rank and join, in Delta tables."""
    rows = [(i, payload, "2026-01-01 00:00:00") for i, payload in enumerate(MOVIES)]
    raw = session.createDataFrame(rows, "movie_id long, payload string, at string")
    raw.withColumn("at", F.to_timestamp("at")).write.format("delta").mode("overwrite").save(f"{folder}/raw")
    raw = session.read.format("delta").option("versionAsOf", 0).load(f"{folder}/raw")

    as_list = F.concat(F.lit("["), "payload", F.lit("]"))
    document = F.get(F.from_json(as_list, PAYLOADS, {"allowSingleQuotes": "false"}), 0)
    latest = Window.partitionBy("movie_id").orderBy(F.col("at").desc_nulls_last(), "movie_id")
    movies = (
        raw.withColumn("document", document)
        .withColumn("row", F.row_number().over(latest))
        .where("row = 1")
        .select(
            F.col("document.id").try_cast("double").cast("long").alias("id"),
            F.when(F.col("document.title").rlike("[^ ]"), F.col("document.title")).alias("title"),
            F.col("document.budget").try_cast("double").alias("budget"),
            F.col("document.day").try_cast("date").alias("day"),
            F.concat_ws(
                "|", F.transform("document.cast", lambda one: F.regexp_replace(one["name"], r"\|", "/"))
            ).alias("cast"),
            F.size(F.array_compact("document.cast")).alias("cast_size"),
            F.array_sort(F.filter("document.cast", lambda one: one["name"].isNotNull())).alias("sorted"),
            F.array_distinct(F.col("document.cast.name")).alias("names"),
        )
        .withColumn("year", F.year("day"))
        .localCheckpoint()
    )
    silver = f"{folder}/silver"
    for _ in range(2):
        rows_of_years = movies.drop("sorted", "names").repartition("year")
        rows_of_years.write.format("delta").mode("overwrite").partitionBy("year").save(silver)
    session.sql(
        f"MERGE INTO delta.`{silver}` AS old USING delta.`{silver}` AS new ON old.id = new.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )

    read = session.read.format("delta").load(silver)
    people = read.select("id", "budget", F.explode(F.split("cast", r"\|")).alias("name"))
    totals = people.groupBy("name").agg(
        F.count(F.lit(1)).alias("n"), F.sum("budget"), F.median("budget"), F.percentile("budget", 0.25)
    )
    most = Window.partitionBy("n").orderBy(F.col("n").desc_nulls_last(), "name")
    ranked = totals.withColumn("rank", F.row_number().over(most)).where("rank <= 5")
    places = ranked.join(read, F.col("name") == F.col("title"), "left")
    places.unionByName(places, allowMissingColumns=True).orderBy("name").toArrow()
    read.groupBy("year").agg(F.mean("budget"), F.count_distinct("id")).collect()
    read.filter(F.col("title").isin("T1", "T2")).orderBy(F.xxhash64("id")).limit(5).toPandas()


def main(archive: str) -> None:
    builder = SparkSession.builder.master("local[2]")
    for name, value in OPTIONS.items():
        builder = builder.config(name, value)
    java_options = f"-XX:+UseParallelGC -XX:ArchiveClassesAtExit={archive}"
    session = builder.config("spark.driver.extraJavaOptions", java_options).getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        work(session, folder)
        environment = {**os.environ, "SPARK_REMOTE": f"sc://127.0.0.1:{PORT}"}
        subprocess.run([sys.executable, __file__, "--client", folder], check=True, env=environment)
    # Private in PySpark 4.2.0.
    jvm = session.sparkContext._gateway.proc
    session.stop()
    # The JVM stops when its standard input is closed, and then writes the archive.
    jvm.stdin.close()
    jvm.wait()
    if not Path(archive).is_file():
        raise SystemExit(f"the JVM ended with status {jvm.returncode} and wrote no archive")


if __name__ == "__main__":
    if sys.argv[1] == "--client":
        work(SparkSession.builder.getOrCreate(), sys.argv[2])
    else:
        main(sys.argv[1])
