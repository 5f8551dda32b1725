# FOLDER PROGRAM ARG…: what the program prints, run in the folder
cd "$1" || exit 3
shift
exec "$@" </dev/null
