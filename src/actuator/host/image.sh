# For each IMAGE one line: present and its id, absent, or unknown and why.
for image; do
  if said=$(docker image inspect "$image" 2>&1); then
    id=$(printf '%s\n' "$said" | sed -n 's/.*"Id": *"\([^"]*\)".*/\1/p' | head -n 1)
    echo "present ${id:--}"
  else
    case $said in
      *[Nn]'o such image'*) echo absent ;;
      *) printf 'unknown %s\n' "$(printf '%s' "$said" | tr '\n' ' ')" ;;
    esac
  fi
done
