# CWD PROGRAM [ARGUMENT...]: runs the program there.
cd "$1" || exit 3
shift
exec "$@" </dev/null
