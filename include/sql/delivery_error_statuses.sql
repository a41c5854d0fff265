-- One status that is an error, for DuckDB.
INSERT INTO error_statuses VALUES (?)
