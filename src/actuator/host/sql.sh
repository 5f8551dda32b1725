# CWD FILE COUNT CLIENT... then pairs of HOW and TEXT: asks a database with the variables of a file of
# KEY=VALUE lines and prints one line for each pair: its exit status, then what was said, on one line.
#   values KEY      all values of KEY in the file; nothing is run
#   own QUERY       as a program of this host would ask
#   writable QUERY  in a connection that may write, whatever the role's default is
#   server QUERY    as `own`, from the database `postgres`: the own one may just have been dropped
#   at=HOST QUERY   the same at this server and at no other
# Nothing in the file is run, and what would change how programs are found or loaded is left out.
cd "$1" || exit 3
[ -r "$2" ] || { echo "$2 cannot be read" >&2; exit 3; }
file=$2 count=$3
while IFS= read -r line || [ -n "$line" ]; do
  name=${line%%=*}
  case $line in *=*) ;; *) continue ;; esac
  case $name in '' | [0-9]* | *[!A-Za-z0-9_]* | PATH | HOME | IFS | ENV | BASH_ENV | LD_*) continue ;; esac
  value=${line#*=}
  case $value in
    \"*\") value=${value#\"} value=${value%\"} ;;
    \'*\') value=${value#\'} value=${value%\'} ;;
  esac
  export "$name=$value"
done <"$file"
shift 3
client=
while [ "$count" -gt 0 ]; do
  client="$client '$(printf '%s' "$1" | sed "s/'/'\\\\''/g")'"
  shift
  count=$((count - 1))
done
values() { while IFS= read -r line || [ -n "$line" ]; do case $line in "$1="*) echo "${line#*=}" ;; esac; done <"$file"; }
errors=$(mktemp) || exit 3
trap 'rm -f "$errors"' EXIT
while [ $# -ge 2 ]; do
  how=$1 query=$2
  shift 2
  said=$(
    case $how in
      values) values "$query"; exit ;;
      writable) export PGOPTIONS='-c default_transaction_read_only=off' ;;
      server) export PGDATABASE=postgres ;;
      at=*)
        unset PGHOSTADDR PGSERVICE PGSERVICEFILE
        export PGDATABASE=postgres "PGHOST=${how#at=}"
        ;;
    esac
    eval "$client \"\$query\"" </dev/null 2>"$errors"
  )
  code=$?
  [ "$code" = 0 ] || said=$(cat "$errors")
  printf '%s %s\n' "$code" "$(printf '%s' "$said" | tr '\n' ' ')"
done
