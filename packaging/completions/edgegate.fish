# Fish completion for edgegate. The program's own help gives the options.

function __edgegate_options
    set -l words (commandline -opc)
    $words[1] $words[2] --help 2> /dev/null | grep -oE -- '--[a-z][a-z0-9._-]*' | sort -u
end

complete -c edgegate -n __fish_use_subcommand -f -a 'serve run quantize bench --help --version'
complete -c edgegate -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' \
    -f -a '(__edgegate_options)'
