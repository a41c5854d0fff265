-- The role of the jobs: it reads, and nothing else. It is given a password, and may log in, by whoever runs
-- the server. Roles belong to the whole server, so it may be there already; where none may be made, the jobs
-- connect as the user who made the tables.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'batch_reader') THEN
        CREATE ROLE batch_reader NOLOGIN;
    END IF;
    GRANT USAGE ON SCHEMA shop, logistics TO batch_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA shop, logistics TO batch_reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA shop, logistics GRANT SELECT ON TABLES TO batch_reader;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role batch_reader was not made: % may not create roles', current_user;
END
$$;

-- Beyond SELECT it needs nothing: snapshots and advisory locks are open to every role. What it may not do
-- anyway, a slip in a job's SQL, fails at once for this reason too.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'batch_reader') THEN
        ALTER ROLE batch_reader SET default_transaction_read_only = on;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role batch_reader was not changed: % may not alter it', current_user;
END
$$;
