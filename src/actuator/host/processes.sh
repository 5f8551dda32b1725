# All processes, as `PID COMMAND LINE`.
all=$(ps -eo pid=,args=) && [ -n "$all" ] || exit 3
printf '%s\n' "$all"
