# PATTERN: the processes, as `PID COMMAND LINE`, whose command line matches. The pattern does not match itself.
all=$(ps -eo pid=,args=) || exit 3
[ -n "$all" ] || exit 3
printf '%s\n' "$all" | grep -E -- "$1"
[ $? -le 1 ] || exit 4
