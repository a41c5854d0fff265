"""The page in Airflow's UI that shows what was published: datasets, their days, files to download.

It reads the Data Packages below the folder that the Airflow Variable `published_root` names, whenever it is
asked, and keeps nothing of its own.
"""
