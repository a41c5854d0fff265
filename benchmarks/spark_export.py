"""The same 10,000 rows by Spark in local mode. Argument: FOLDER, which gets one CSV part file."""

import sys

from pyspark.sql import SparkSession, functions


def main() -> None:
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    number = functions.col("id")
    rows = spark.range(10_000).select(
        functions.format_string("%06d", number).alias("sku"),
        functions.concat(functions.lit("Product "), number).alias("name"),
        functions.lit("Category").alias("category"),
        functions.lit("pcs").alias("unit"),
        (number / 100).alias("price"),
        functions.lit("base").alias("kind"),
        functions.lit(5).alias("stock"),
    )
    rows.coalesce(1).write.csv(sys.argv[1])
    spark.stop()


if __name__ == "__main__":
    main()
