# For each PATH one line: what is mounted there, or absent.
said=$(mount) || exit 3
for path; do
  line=$(printf '%s\n' "$said" | grep -F " on $path type " | head -n 1)
  printf '%s\n' "${line:-absent}"
done
