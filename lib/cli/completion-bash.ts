// The completion script for bash; pure. It needs neither the package bash-completion nor `eval`,
// so that Tab runs nothing that stands on the command line.

/**
 * bash cuts the line at "=" and ":" too; the script joins those pieces again. A bash older than 4
 * has no `compopt`: there, paths are offered wherever there is no other candidate.
 */
export const BASH_SCRIPT = `# bash completion for r1-native

_r1_native_complete() {
    local rest=\${COMP_LINE:0:COMP_POINT} blanks word lead text directive=0 i
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=\${rest%%[![:blank:]]*}
        rest=\${rest#"$blanks"}
        word=\${COMP_WORDS[i]}
        # The word at the cursor ends at the cursor.
        ((i == COMP_CWORD)) && word=$rest
        rest=\${rest#"$word"}
        if ((i == 0)) || [[ -n $blanks ]]; then
            words+=("$word")
        else
            words[\${#words[@]} - 1]+=$word
        fi
    done
    # The program answers "--flag=" by the values alone, and bash replaces what stands after "=".
    word=\${words[\${#words[@]} - 1]} lead=
    [[ $word == -*=* && $COMP_WORDBREAKS != *=* ]] && lead=\${word%%=*}=

    COMPREPLY=()
    while IFS=$'\\t' read -r text _; do
        case $text in
        :[0-9]*) directive=\${text#:} ;;
        ?*) COMPREPLY+=("$lead$text") ;;
        esac
    done < <(r1-native complete -- "\${words[@]:1}" 2>/dev/null)
    if ((directive & 4)); then
        compopt +o default 2>/dev/null
    fi
}

complete -o default -F _r1_native_complete r1-native`;
