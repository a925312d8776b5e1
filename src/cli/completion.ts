// Completion of commands and of the pool's file names, for bash and zsh.

/** A script for `source <(palm completion)`. */
export function completionScript(commandNames: readonly string[]): string {
  return `# palm, for bash; zsh takes it after: autoload -U bashcompinit && bashcompinit
_palm() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=( $(compgen -W "${commandNames.join(' ')}" -- "$word") )
    return
  fi
  case "\${COMP_WORDS[1]}" in
    get|mv|pin|rm|status|unpin|verify|where)
      local IFS=$'\\n'
      COMPREPLY=( $(compgen -W "$(palm names 2>/dev/null)" -- "$word") ) ;;
    *)
      COMPREPLY=( $(compgen -f -- "$word") ) ;;
  esac
}
complete -F _palm palm
`;
}
