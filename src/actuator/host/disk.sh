# For each PATH one line: how much of its file system is used, per cent, or absent.
for path; do
  if said=$(df -P "$path" 2>/dev/null); then
    printf '%s\n' "$said" | awk 'END { sub("%", "", $5); print $5 }'
  else
    echo absent
  fi
done
