# bash completion of slipstream. What there is to complete is asked of the program, so that it is always what
# this one can do.
_slipstream() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} choices=
	if [ "$COMP_CWORD" -eq 1 ]; then
		choices="$("$1" --help 2>/dev/null | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on {print $1}') --help --version"
	elif [[ $word == -* ]]; then
		choices=$("$1" "$command" --help 2>/dev/null | grep -oE '^ +(-h,)?--[a-z-]+' | grep -oE -- '--[a-z-]+')
	fi
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -o default -F _slipstream slipstream
