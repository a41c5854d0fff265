-- The role that the export connects as: it reads the carrier's tables, and nothing else. To be run by an
-- administrator in the database that holds them, once; running it again only sets the password anew:
--
--   psql -d test_db -v schema=logistics -v password="$PASSWORD" -f k8s/exporter/role/read-only-role.sql
--
-- What the export needs besides SELECT (an exported snapshot, an advisory lock, ctid ranges) every role may do.

SELECT 'CREATE ROLE batch_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'batch_reader') \gexec

-- Eight connections: two workers, the one that holds the snapshot, and a second run that finds the lock taken.
ALTER ROLE batch_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 8
    PASSWORD :'password';

-- Should a right slip in one day, the sessions still begin as readers. A session that was forgotten inside a
-- transaction holds back VACUUM: it is ended.
ALTER ROLE batch_reader SET default_transaction_read_only = on;
ALTER ROLE batch_reader SET idle_in_transaction_session_timeout = '1h';

SELECT format('GRANT CONNECT ON DATABASE %I TO batch_reader', current_database()) \gexec
GRANT USAGE ON SCHEMA :"schema" TO batch_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO batch_reader;
-- Tables that come later, made by the role that runs this.
ALTER DEFAULT PRIVILEGES IN SCHEMA :"schema" GRANT SELECT ON TABLES TO batch_reader;
