#!/bin/sh
# The songs with keys $1, $2 and so on: their ids are what all other requests name them by.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}

keys=$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")

curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/points/scroll" \
    --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json '{
  "filter": {"must": [{"key": "key", "match": {"any": '"$keys"'}}]},
  "limit": '"$#"',
  "with_payload": ["key", "name"]
}'
