# For each PATH one line: absent, plain or the SHA-256 of an executable file.
for path; do
  if [ ! -f "$path" ]; then
    echo absent
  elif [ ! -x "$path" ]; then
    echo plain
  else
    digest=$(sha256sum <"$path") || exit 3
    echo "${digest%% *}"
  fi
done
