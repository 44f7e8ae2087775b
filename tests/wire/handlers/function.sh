handler() {
    echo "seen $1" >&2
    echo "{\"echo\": $1}"
}
