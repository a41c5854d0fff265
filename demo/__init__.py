"""The embedded stack: what stands in for a company's database, mail server and Airflow on one machine."""
