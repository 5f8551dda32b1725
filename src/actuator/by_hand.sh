# The token goes by a file that only you can read, and goes with the shell: arguments of programs are seen by everybody.
HEADER=$(mktemp) && trap 'rm -f "$HEADER"' EXIT && chmod 600 "$HEADER" && printf 'Authorization: Bearer %s\n' "$TOKEN" >"$HEADER"
cf() { curl -sS --fail-with-body -m 30 -H "@$HEADER" -H 'Content-Type: application/json' "$@"; }
leads() { # NAME RECORD ADDRESS: the record has this address
  if cf "$2" | grep -Eq "\"content\": ?\"$3\""; then
    echo "ok    $1 leads to $3"
  else
    echo "STOP  $1 does not lead to $3"
    return 1
  fi
}
asks() { # NAME SERVER PORT: its addresses, one a line
  if command -v dig >/dev/null 2>&1; then
    dig +short +norecurse +time=3 +tries=1 -p "$3" "@$2" "$1" A
  else
    python3 -c '
import socket, struct, sys
name, host, port = sys.argv[1:4]
ask = struct.pack(">6H", 1, 0, 1, 0, 0, 0)
ask += b"".join(bytes([len(it)]) + it.encode() for it in name.split(".")) + b"\0" + struct.pack(">2H", 1, 1)
to = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
door = socket.socket(to[0], to[1])
door.settimeout(3)
door.sendto(ask, to[4])
said = door.recv(4096)
at = len(ask)
for _ in range(struct.unpack(">H", said[6:8])[0]):
    while said[at]:
        if said[at] >= 192:
            at += 1
            break
        at += said[at] + 1
    at += 1
    kind, _, _, size = struct.unpack(">2HIH", said[at:at + 10])
    at += 10
    if kind == 1:
        print(".".join(map(str, said[at:at + size])))
    at += size
' "$1" "$2" "$3"
  fi
}
answers() { # NAME ADDRESS SERVER:PORT...: each server gives this address, within a minute
  name=$1 wanted=$2
  shift 2
  for server in "$@"; do
    tries=0
    until asks "$name" "${server%:*}" "${server##*:}" | grep -qxF "$wanted"; do
      tries=$((tries + 1))
      if [ "$tries" -ge 20 ]; then
        echo "STOP  $server does not give $wanted for $name"
        return 1
      fi
      sleep 3
    done
    echo "ok    $server gives $wanted for $name"
  done
}
page() { # URL HOST ADDRESS PORT STATUS TEXT: the site at this address answers so
  got=$(curl -sS -m 20 -w '\n%{http_code}' --connect-to "$2:443:$3:$4" "$1")
  if [ "$(printf '%s\n' "$got" | tail -n 1)" = "$5" ] && printf '%s\n' "$got" | grep -qF -- "$6"; then
    echo "ok    $1 at $3 answers $5"
  else
    echo "LOOK  $1 at $3 does not answer $5 with: $6"
    return 1
  fi
}
on() { # ALIAS COMMAND: run on that host
  if "$SSH" -n -o BatchMode=yes -o ConnectTimeout=10 "$1" "$2"; then
    echo "ok    $1"
  else
    echo "OWED  $1: not done; note it, and do it when the host can be reached"
    return 1
  fi
}
