#!/usr/bin/env bash
# The contract of the official postgres image, written anew: POSTGRES_* variables and their _FILE
# forms, first start makes a cluster, /docker-entrypoint-initdb.d runs against a server that
# listens on its socket only, root steps down to `postgres`, any `--user` works.
set -Eeuo pipefail

fail() { printf 'postgres entrypoint: %s\n' "$*" >&2; exit 1; }

# VAR or VAR_FILE, never both.
setting() {
    local name=$1 default=${2-} file="$1_FILE"
    if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then
        fail "both $name and $file are set; one of them must go"
    fi
    if [ -n "${!file-}" ]; then
        printf -v "$name" '%s' "$(<"${!file}")"
    elif [ -z "${!name-}" ]; then
        printf -v "$name" '%s' "$default"
    fi
    export "${name?}"
    unset "$file"
}

prepare_directories() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 00700 "$PGDATA" 2>/dev/null || true
    chmod 03775 /var/run/postgresql 2>/dev/null || true
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" ! -user postgres -exec chown postgres '{}' +
        find /var/run/postgresql ! -user postgres -exec chown postgres '{}' +
    fi
}

create_cluster() {
    [ -n "$POSTGRES_PASSWORD" ] || [ "${POSTGRES_HOST_AUTH_METHOD-}" = trust ] ||
        fail "the database is empty and POSTGRES_PASSWORD is not set: set it, or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in"
    local wal=()
    [ -z "${POSTGRES_INITDB_WALDIR-}" ] || wal=(--waldir "$POSTGRES_INITDB_WALDIR")
    # shellcheck disable=SC2086 # words by contract
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${wal[@]}" $POSTGRES_INITDB_ARGS
    local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"; }

run_init_files() {
    local f
    for f in /docker-entrypoint-initdb.d/*; do
        case $f in
            *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
            *.sql) sql --dbname "$POSTGRES_DB" -f "$f" ;;
            *.sql.gz) gunzip -c "$f" | sql --dbname "$POSTGRES_DB" ;;
            *.sql.xz) xzcat "$f" | sql --dbname "$POSTGRES_DB" ;;
            *.sql.zst) zstd -dc "$f" | sql --dbname "$POSTGRES_DB" ;;
        esac
    done
}

main() {
    if [ "${1:0:1}" = '-' ]; then set -- postgres "$@"; fi
    if [ "$1" != postgres ]; then exec "$@"; fi
    for arg in "$@"; do
        case $arg in -\? | --help | --describe-config | -V | --version) exec "$@" ;; esac
    done

    prepare_directories
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        setting POSTGRES_PASSWORD
        setting POSTGRES_USER postgres
        setting POSTGRES_DB "$POSTGRES_USER"
        setting POSTGRES_INITDB_ARGS
        create_cluster
        export PGPASSWORD=$POSTGRES_PASSWORD
        pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
        if [ "$POSTGRES_DB" != postgres ]; then
            sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db" ;'
        fi
        run_init_files
        pg_ctl -D "$PGDATA" -m fast -w stop
        unset PGPASSWORD
        echo 'PostgreSQL init process complete; ready for start up.'
    fi
    exec "$@"
}

main "$@"
