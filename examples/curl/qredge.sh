# Shared by the examples: where the server is, the key, and one request.

api="${QREDGE_URL:-http://127.0.0.1:8000}/v1"
key="${QREDGE_API_KEY:?is the key that opens the API}"

# request METHOD PATH [curl's options]: the answer. One that says no is printed to stderr, and ends the script.
# What may pass (429, 503) is tried again, as late as the server asks for.
request() {
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail-with-body --retry 3 --request "$method" \
        --header "Authorization: Bearer $key" --header "Content-Type: application/json" "$api$path" "$@"
}

# field NAME: the first text of this name in the JSON that comes in.
field() { grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4; }
