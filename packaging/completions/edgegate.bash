# Bash completion for edgegate. The program's own help gives the options.

_edgegate() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "serve run quantize bench --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    local options
    options=$("${COMP_WORDS[0]}" "$command" --help 2> /dev/null | grep -oE -- '--[a-z][a-z0-9._-]*' | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  else
    compopt -o default 2> /dev/null
  fi
}
complete -F _edgegate edgegate
