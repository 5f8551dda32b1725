# Runs a command on a host at most once for each effect: VERB OP ATTEMPT CWD COMMAND [ARGUMENT...]
#   status  says what became of it
#   start   starts it unless it was started before
#   again   starts it unless it runs, or this attempt (or a later one) was started before
# Answers one line `changeover STATE CODE ATTEMPT DIGEST`, then the end of the command's output.
#   STATE is absent, running, exited or lost (started, gone, no exit status).
# State lies under ~/.changeover/ops/OP: lock (held while anything of the command lives), started, exit, output.N
set -u
mask=$(umask)
umask 077
verb=$1 op=$2 attempt=$3 cwd=$4
shift 4
dir=$HOME/.changeover/ops/$op

keep() { # FILE TEXT: durable and whole, or not there
  printf '%s\n' "$2" >"$dir/$1.new" && { sync "$dir/$1.new" 2>/dev/null || sync; } &&
    mv -f "$dir/$1.new" "$dir/$1" && { sync "$dir" 2>/dev/null || sync; }
}
recall() { cat "$dir/$1" 2>/dev/null || :; }

# Without flock a folder is the lock; it holds as long as the process it names, or its group, lives.
# Without setsid too, a command that outlives its killed shell is not seen: have util-linux on hosts.
alive() {
  holder=$(recall folder.lock/pid)
  [ -n "$holder" ] && { kill -0 "$holder" 2>/dev/null || kill -s 0 -- "-$holder" 2>/dev/null; }
}
free() { # reads: does nothing of it live?
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$dir/lock" && flock -s -n 9
  else
    ! alive
  fi
}
take() { # for good, until all that inherits it has ended; a reader holds it for a moment only
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$dir/lock" && { flock -n 9 || { sleep 1 && flock -n 9; }; }
  else
    alive || rm -rf "$dir/folder.lock"
    mkdir "$dir/folder.lock" 2>/dev/null && echo $$ >"$dir/folder.lock/pid"
  fi
}
busy() { started=$(recall started); answer running - "${started:-0}"; }

answer() { # STATE CODE ATTEMPT
  digest=-
  if [ -f "$dir/output.$3" ]; then
    digest=$(sha256sum <"$dir/output.$3" 2>/dev/null | cut -d ' ' -f 1)
  fi
  printf 'changeover %s %s %s %s\n' "$1" "$2" "$3" "${digest:--}"
  if [ -f "$dir/output.$3" ]; then tail -c 2000 "$dir/output.$3"; fi
  exit 0
}
ended() { # answers for a command that does not run, if it was started
  started=$(recall started)
  [ -n "$started" ] || return 0
  set -- $(recall exit)
  if [ "${2:-}" = "$started" ]; then answer exited "$1" "$2"; else answer lost - "$started"; fi
}

if [ "$verb" = status ]; then
  [ -d "$dir" ] || answer absent - 0
  free || busy
  ended
  answer absent - 0
fi

mkdir -p "$dir" || exit 70
take || busy
before=$(recall started)
if [ -n "$before" ] && { [ "$verb" = start ] || [ "$before" -ge "$attempt" ]; }; then
  rm -rf "$dir/folder.lock"
  ended
fi
keep started "$attempt" || exit 71
detach=
command -v setsid >/dev/null 2>&1 && detach=setsid
umask "$mask"
# The command inherits descriptor 9: the lock is free only when nothing of it lives any more.
$detach nohup sh -c '
  dir=$1 attempt=$2 cwd=$3
  shift 3
  if cd "$cwd"; then "$@"; code=$?; else code=126; fi
  printf "%s %s\n" "$code" "$attempt" >"$dir/exit.new" &&
    { sync "$dir/exit.new" 2>/dev/null || sync; } && mv -f "$dir/exit.new" "$dir/exit"
' changeover "$dir" "$attempt" "$cwd" "$@" </dev/null >"$dir/output.$attempt" 2>&1 &
if [ -d "$dir/folder.lock" ]; then echo $! >"$dir/folder.lock/pid"; fi
answer running - "$attempt"
