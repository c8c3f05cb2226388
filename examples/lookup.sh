#!/bin/sh
# Songs with a word that begins with $1 in their name, most popular first; then their genres, counted.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}
named='{"must": [{"key": "search_words", "match": {"text": "'"$1"'"}}]}'

ask() {
    curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/$1" \
        --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json "$2"
}

ask points/scroll '{
  "filter": '"$named"',
  "order_by": {"key": "popularity", "direction": "desc"},
  "limit": 5,
  "with_payload": ["name", "artists", "popularity"]
}'
echo
ask facet '{"key": "genre_names", "filter": '"$named"', "exact": true, "limit": 5}'
