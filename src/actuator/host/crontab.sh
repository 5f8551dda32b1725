# read              one line with its SHA-256, then the user's crontab; nothing if there is none
# write DIGEST TEXT makes it TEXT, if it still has this SHA-256
# take DIGEST LINES the same without these lines, as sed is told of them: no process shows what else stands there
set -u
LC_ALL=C
export LC_ALL
# Two of ours at once would each read the same table, and the later one write over what the earlier one did.
if [ "$1" != read ] && command -v flock >/dev/null 2>&1 && mkdir -p "$HOME/.changeover"; then
  exec 9>>"$HOME/.changeover/crontab.lock"
  flock -w 5 9 || exit 3
fi
now=$(mktemp) || exit 3
trap 'rm -f "$now" "$now.said"' EXIT
if ! crontab -l >"$now" 2>"$now.said"; then
  case $(cat "$now.said") in
    *'no crontab'*) : >"$now" ;;
    *)
      cat "$now.said" >&2
      exit 4
      ;;
  esac
fi
digest=$(sha256sum <"$now") || exit 3
digest=${digest%% *}
if [ "$1" = read ]; then
  echo "$digest"
  cat "$now"
  exit
fi
if [ "$digest" != "$2" ]; then
  echo 'the crontab changed since it was read' >&2
  exit 5
fi
if [ "$1" = take ]; then
  sed "$3" <"$now" | crontab - || exit
else
  printf '%s' "$3" | crontab - || exit
fi
