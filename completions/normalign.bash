# Completion for bash: source it, or put it where bash-completion looks, as `make install` does.
# Subcommands and options are asked of the program itself, so that they are those of the program that runs.

_normalign_help() { "${COMP_WORDS[0]/#\~\//$HOME/}" "$@" --help 2>/dev/null; }

_normalign() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} != -* ]] && { command=${COMP_WORDS[i]}; break; }
  done
  COMPREPLY=()
  local words=''
  if [[ -z $command ]]; then
    words=$(_normalign_help | awk '/^  -/ { n = split($1, names, ","); for (k = 1; k <= n; ++k) print names[k] }
                                   /^Subcommands:/ { listed = 1; next } /^$/ { listed = 0 } listed { print $1 }')
  elif [[ $word == -* ]]; then
    words=$(_normalign_help "$command" |
            awk '/^  -/ { n = split($1, names, ","); for (k = 1; k <= n; ++k) print names[k] }')
  else
    case $before in
      --task) words=$(_normalign_tasks) ;;
      --condition) words="baseline grokfast orthograd grokalign adversarial_noise hold_jacobian" ;;
      --stop) words="grokked never" ;;
      --protocol) words="published nested" ;;
      --kernel) words="laplace gaussian generalised_laplace" ;;
      --precision) words="float64 float32" ;;
      --norm) words="l2 linf" ;;
      --activation) words="relu leaky_relu abs tanh sigmoid softplus silu gelu gelu_tanh quadratic identity" ;;
      --header) words="yes no" ;;
      --index-column) words="drop keep" ;;
      --against) [[ $command == plot ]] && words="penalty_share lambda lambda_scale projections learning_rate" ;;
      --colour) words="slope area class" ;;
      --table) words="regions corners vertices edges boundary points facets pieces components classes" ;;
      --measure) words="centroid_alignment class_alignment normal_alignment centred_normal_alignment" ;;
      train) words=$(_normalign_tasks) ;;
      study) words="sparsity rfm_grokking" ;;
    esac
  fi
  # Without words of our own bash completes files, as complete -o default has it.
  [[ -n $words ]] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

_normalign_tasks() { _normalign_help train | awk '/^TASK is one of/ { listed = 1; next } /^$/ { listed = 0 } listed { sub(":.*", ""); print $1 }'; }

complete -o default -F _normalign normalign
