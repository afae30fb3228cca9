# Bash completion for edgegate. The program's own help gives the options, and `edgegate list` the models.

# Prints the kind of the word after `$2` of the command `$1`: models, shapes or files.
_edgegate_kind() {
  case "$1 $2" in
    "bench --shape") echo shapes ;;
    "serve --model" | "serve --draft" | "bench --model" | "run --draft") echo models ;;
    "run --image" | "run --tool" | "run --json-schema" | "run --config") echo files ;;
    "run "*) echo models ;;
    *) echo files ;;
  esac
}

_edgegate() {
  local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} current=${COMP_WORDS[COMP_CWORD]}
  local previous=${COMP_WORDS[COMP_CWORD - 1]} words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="serve run list quantize bench --help --version"
  elif [[ $current == -* ]]; then
    words=$("$program" "$command" --help 2> /dev/null | grep -oE -- '--[a-z][a-z0-9._-]*' | sort -u)
  else
    compopt -o default -o filenames 2> /dev/null
    case "$(_edgegate_kind "$command" "$previous")" in
      shapes) words=$("$program" list --shapes 2> /dev/null) ;;
      models)
        words=$("$program" list --names 2> /dev/null)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    esac
  fi
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _edgegate edgegate
