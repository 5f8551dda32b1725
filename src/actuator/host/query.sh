# CWD FILE PROGRAM [ARGUMENT...]: runs the program with the variables of a file of KEY=VALUE lines.
# Nothing in the file is run, and what would change how programs are found or loaded is left out.
cd "$1" || exit 3
[ -r "$2" ] || { echo "$2 cannot be read" >&2; exit 3; }
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
done <"$2"
shift 2
exec "$@" </dev/null
