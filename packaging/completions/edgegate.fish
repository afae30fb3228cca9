# Fish completion for edgegate. The program's own help gives the options, and `edgegate list` the models.

function __edgegate_options
    set -l words (commandline -opc)
    $words[1] $words[2] --help 2> /dev/null | grep -oE -- '--[a-z][a-z0-9._-]*' | sort -u
end

function __edgegate_list
    set -l words (commandline -opc)
    $words[1] list $argv 2> /dev/null
end

# Prints the kind of the next word: option, models, shapes or files.
function __edgegate_kind
    set -l words (commandline -opc)
    if string match -q -- '-*' (commandline -ct)
        echo option
        return
    end
    switch "$words[2] $words[-1]"
        case 'bench --shape'
            echo shapes
        case 'run --image' 'run --tool' 'run --json-schema' 'run --config'
            echo files
        case 'serve --model' 'serve --draft' 'bench --model' 'run *'
            echo models
        case '*'
            echo files
    end
end

complete -c edgegate -n __fish_use_subcommand -f -a 'serve run list quantize bench --help --version'
complete -c edgegate -n 'not __fish_use_subcommand; and test (__edgegate_kind) = option' -f -a '(__edgegate_options)'
complete -c edgegate -n 'not __fish_use_subcommand; and test (__edgegate_kind) = models' -a '(__edgegate_list --names)'
complete -c edgegate -n 'not __fish_use_subcommand; and test (__edgegate_kind) = shapes' -f \
    -a '(__edgegate_list --shapes)'
