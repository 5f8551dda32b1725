# FILE KEY: the values of KEY in a file of KEY=VALUE lines. Nothing in it is run.
[ -r "$1" ] || { echo "$1 cannot be read" >&2; exit 3; }
while IFS= read -r line || [ -n "$line" ]; do
  case $line in "$2="*) printf '%s\n' "${line#*=}" ;; esac
done <"$1"
