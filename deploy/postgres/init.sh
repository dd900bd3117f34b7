#!/bin/sh
# Run once by the postgres image, in an empty volume. It makes a role for Pulse with the needed rights only, in a schema of its own. Pulse
# applies sql/ itself at start, so the role owns its schema. The superuser keeps no password, because it signs in within the container only.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE pulse LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO pulse;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA pulse AUTHORIZATION pulse;
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
